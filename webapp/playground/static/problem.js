// Show an error so that somebody can act on it.

import { el, marked } from "./dom.js";

// `fault` may show an error at its field, and returns the field then; what has no field is listed here.
export function showProblem(place, error, fault = () => false) {
  const said = error.document ?? {};
  const fields = [];
  const listed = (said.errors ?? []).filter(({ field, message }) => {
    const shown = field ? fault(field, message) : false;
    if (shown) fields.push(shown);
    return !shown;
  });
  const detail = error.document ? (said.detail ?? error.message) : `The service cannot be reached (${error.message}).`;
  const retry = error.retryAfter ? ` It can be tried again in ${error.retryAfter} s.` : "";
  const reference = [said.status ?? error.status, said.code, said.request_id && `request ${said.request_id}`].filter(Boolean);
  place.replaceChildren(
    el(
      "div",
      { class: "problem", role: "alert" },
      el("strong", {}, said.title ?? (error.document ? "Error" : "No answer")),
      el("p", {}, ...marked(detail + retry)),
      listed.length ? el("ul", {}, ...listed.map((each) => el("li", {}, `${each.field ?? ""} ${each.message}`.trim()))) : null,
      reference.length ? el("p", { class: "reference" }, reference.join(" · ")) : null,
    ),
  );
  fields[0]?.focus?.();
}
