// The latest jobs of this key.

import { read } from "./api.js";
import { $, el, seconds } from "./dom.js";

const LATEST = 10;
const SOON = 3000;

let timer = 0;

// Lists the jobs, and again soon while one of them has not ended. `open` is called with the id of a job.
export async function listJobs(open) {
  clearTimeout(timer);
  const { jobs } = await read(`v1/jobs?limit=${LATEST}`);
  const focused = document.activeElement?.dataset?.job;
  $("jobs").replaceChildren(...(jobs.length ? jobs.map((job) => row(job, open)) : [empty()]));
  if (focused) document.querySelector(`[data-job="${focused}"]`)?.focus();
  if (jobs.some((job) => !job.completed_at) && !document.hidden) timer = setTimeout(() => listJobs(open).catch(() => {}), SOON);
}

const empty = () => el("tr", {}, el("td", { colspan: "6", class: "empty" }, "No jobs yet."));

function row(job, open) {
  const created = new Date(job.created_at);
  const button = el("button", { type: "button", class: "quiet small", onclick: () => open(job.id), "aria-label": `Open job of ${job.agent}, ${job.status}, ${created.toLocaleTimeString()}` }, "Open");
  button.dataset.job = job.id;
  const state = el("span", { class: "state" }, job.status);
  state.dataset.state = job.status;
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, job.agent),
    el("td", {}, state),
    el("td", {}, el("time", { datetime: job.created_at, title: created.toLocaleString() }, created.toLocaleTimeString())),
    el("td", { class: "number" }, between(job.created_at, job.started_at)),
    el("td", { class: "number" }, between(job.started_at, job.completed_at)),
    el("td", { class: "number" }, button),
  );
}

export const between = (from, to) => (from && to ? seconds((new Date(to) - new Date(from)) / 1000) : "–");
