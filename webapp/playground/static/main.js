// The page: choose an agent, fill in its form, run it.

import { key, Problem, read } from "./api.js";
import { $, el, marked } from "./dom.js";
import { encode, makeFields } from "./form.js";
import { listJobs } from "./jobs.js";
import { showProblem } from "./problem.js";
import { cancel, runAgent, running, showJob } from "./run.js";
import { curl, python } from "./snippets.js";

const WRITERS = { curl, python };

let agents = [];
let fields = null;
let language = "curl";

const chosen = () => agents.find(({ name }) => name === $("agent").value);
const isForm = (agent) => agent.accepts !== "application/json";

function showForm() {
  const agent = chosen();
  fields = makeFields(agent.input);
  $("about").replaceChildren(
    el("p", { class: "summary" }, ...marked(agent.summary)),
    ...agent.description.split("\n\n").filter(Boolean).map((part) => el("p", {}, ...marked(part))),
    el("p", { class: "tags" }, ...[`queue ${agent.queue}`, `${agent.timeout} s at most`, `returns ${agent.returns}`].map((tag) => el("span", { class: "tag" }, tag))),
  );
  const hint = el("span", { class: "muted keys" }, el("kbd", {}, "Ctrl"), " + ", el("kbd", {}, "Enter"));
  const submit = el("button", { type: "submit", class: "primary", id: "submit" }, "Run");
  $("form").replaceChildren(...fields.elements, el("div", { class: "row" }, submit, hint));
  showCode();
}

function showCode() {
  $("code").textContent = fields ? WRITERS[language](chosen(), fields.read()) : "";
}

async function submit(event) {
  event.preventDefault();
  if (running()) return;
  const agent = chosen();
  // Not `disabled`, which would take the focus away from whoever pressed it.
  $("submit").setAttribute("aria-disabled", "true");
  $("run").scrollIntoView({ block: "nearest" });
  try {
    await runAgent(agent, encode(fields.read(), isForm(agent)), fields.fault, () => refresh());
  } catch (error) {
    unlessRefused(error, () => {});
  } finally {
    $("submit").removeAttribute("aria-disabled");
  }
}

const refresh = () => listJobs(open).catch((error) => unlessRefused(error, () => showProblem($("page-problem"), error)));

function open(id) {
  if (running()) return;
  showJob(id).catch((error) => showProblem($("problem"), error));
  $("run").scrollIntoView({ block: "start" });
}

// A wrong key is asked for again; every other error is shown where it belongs.
function unlessRefused(error, otherwise) {
  if (!(error instanceof Problem) || error.status !== 401) return otherwise();
  if (key.get()) showProblem($("key-problem"), error);
  key.forget();
  askForKey();
}

function askForKey() {
  $("key").value = "";
  if (!$("key-dialog").open) $("key-dialog").showModal();
}

async function start() {
  if (!key.get()) return askForKey();
  try {
    ({ agents } = await read("v1/agents"));
    const before = $("agent").value;
    $("agent").replaceChildren(...agents.map(({ name }) => el("option", { value: name }, name)));
    $("agent").disabled = false;
    if (agents.some(({ name }) => name === before)) $("agent").value = before;
    $("page-problem").replaceChildren();
    showForm();
    await refresh();
  } catch (error) {
    unlessRefused(error, () => showProblem($("page-problem"), error));
  }
}

function chooseLanguage(name) {
  language = name;
  for (const each of Object.keys(WRITERS)) {
    $(`tab-${each}`).setAttribute("aria-selected", each === name);
    $(`tab-${each}`).tabIndex = each === name ? 0 : -1;
  }
  $("code").setAttribute("aria-labelledby", `tab-${name}`);
  showCode();
}

async function copy() {
  let done = "Copied";
  try {
    await navigator.clipboard.writeText($("code").textContent);
  } catch {
    // Browsers keep the clipboard from pages of plain http.
    getSelection().selectAllChildren($("code"));
    done = "Selected";
  }
  $("copy").textContent = done;
  setTimeout(() => ($("copy").textContent = "Copy"), 1500);
}

function listen() {
  $("agent").addEventListener("change", showForm);
  $("form").addEventListener("submit", submit);
  $("form").addEventListener("input", showCode);
  $("form").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("form").requestSubmit();
  });
  $("cancel").addEventListener("click", () => cancel().catch((error) => showProblem($("problem"), error)));
  $("refresh").addEventListener("click", refresh);
  $("copy").addEventListener("click", copy);
  for (const name of Object.keys(WRITERS)) {
    $(`tab-${name}`).addEventListener("click", () => chooseLanguage(name));
    $(`tab-${name}`).addEventListener("keydown", (event) => {
      if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
      chooseLanguage(Object.keys(WRITERS).find((each) => each !== name));
      $(`tab-${language}`).focus();
    });
  }
  $("key-button").addEventListener("click", askForKey);
  $("key-cancel").addEventListener("click", () => $("key-dialog").close());
  $("key-form").addEventListener("submit", () => {
    key.set($("key").value.trim());
    $("key-problem").replaceChildren();
    start();
  });
  $("key-dialog").addEventListener("close", () => {
    if (!key.get()) $("page-problem").replaceChildren(el("p", { class: "empty" }, "Without a key there is nothing to run. Give one with the button “API key”."));
  });
  document.addEventListener("visibilitychange", () => !document.hidden && key.get() && refresh());
}

async function introduce() {
  const { name } = await read("");
  $("service").textContent = name;
  document.title = `${name} playground`;
}

listen();
introduce().catch(() => {});
start();
