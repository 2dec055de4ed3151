// One job on the screen: its state, what it says, its progress, its files.

import { read, request } from "./api.js";
import { $, el, seconds } from "./dom.js";
import { between } from "./jobs.js";
import { showProblem } from "./problem.js";
import { follow } from "./stream.js";

const TICK = 200;
const STATES = { pending: "waiting", running: "running", canceling: "canceling", completed: "completed", failed: "failed", canceled: "canceled" };

let current = null; // {abort, job} of the run that is shown

export const running = () => Boolean(current);

// Runs an agent and shows what its job says. `fault` shows an error of the input at its field.
export async function runAgent(agent, body, fault, changed) {
  const began = performance.now();
  const abort = new AbortController();
  const mine = (current = { abort, job: "", first: 0 });
  clear();
  say("pending");
  $("cancel").hidden = false;
  $("cancel").disabled = false;
  const tick = setInterval(() => facts([["Elapsed", seconds((performance.now() - began) / 1000)]]), TICK);
  const onState = ({ job, connected }) => {
    if (job !== mine.job) changed();
    mine.job = job;
    if (!connected) say("pending", "connection lost, trying again…");
  };
  try {
    const path = agent.run_url.replace(/run$/, "stream").replace(/^\//, "");
    for await (const event of follow(path, { method: "POST", ...body }, { signal: abort.signal, onState })) {
      hear(event, mine);
    }
    if (mine.job) await showJob(mine.job, mine.first ? seconds((mine.first - began) / 1000) : "");
    else say("canceled");
  } catch (error) {
    say("failed", error.document ? "refused" : "no answer");
    showProblem($("problem"), error, fault);
    throw error;
  } finally {
    clearInterval(tick);
    current = null;
    if (document.activeElement === $("cancel")) $("submit")?.focus();
    $("cancel").hidden = true;
    changed();
  }
}

export async function cancel() {
  const { abort, job } = current ?? {};
  $("cancel").disabled = true;
  if (!job) return abort?.abort();
  say("canceling");
  await request(`v1/jobs/${job}/cancel`, { method: "POST" });
}

// Shows a job as its record tells it, with its files.
export async function showJob(id, firstToken = "") {
  const job = await read(`v1/jobs/${id}`);
  if (!firstToken) clear();
  say(job.status);
  showProgress(job.completed_at ? null : job.progress);
  if (job.error) showProblem($("problem"), { document: { title: "The job failed", detail: job.error.detail, code: job.error.code } });
  const streamed = $("output").querySelector(".said");
  if (job.result !== null && !job.artifacts.length && !streamed) text(typeof job.result === "string" ? job.result : JSON.stringify(job.result, null, 2), typeof job.result !== "string");
  else if (job.artifacts.length) $("output").replaceChildren();
  else if (job.completed_at && !streamed) $("output").replaceChildren(el("p", { class: "empty" }, "It said nothing."));
  facts([
    ["Waited", between(job.created_at, job.started_at)],
    ["Ran", between(job.started_at, job.completed_at)],
    ["First token", firstToken],
    ["Attempts", job.attempts > 1 ? `${job.attempts}` : ""],
    ["Tokens", job.usage.total_tokens ? job.usage.total_tokens.toLocaleString("en") : ""],
    ["Job", job.id],
  ]);
  $("files").replaceChildren(...(await Promise.all(job.artifacts.map(file))));
}

function hear({ event, data }, mine) {
  if (event === "token") {
    mine.first ||= performance.now();
    write(data.content);
  }
  if (event === "started" || event === "token" || event === "progress") say("running");
  if (event === "progress") showProgress(data);
  if (event === "restarted") {
    // What an earlier attempt said is not part of the answer.
    $("output").replaceChildren();
    say("running", "started again");
  }
}

function clear() {
  for (const id of ["problem", "output", "files", "page-problem"]) {
    for (const link of $(id).querySelectorAll("[href^='blob:']")) URL.revokeObjectURL(link.href);
    $(id).replaceChildren();
  }
  showProgress(null);
  facts([]);
}

// The state in words is announced, each once; the tokens are not, or a screen reader would read every one of them.
function say(state, words = STATES[state]) {
  if ($("state").textContent === words) return;
  $("state").dataset.state = state;
  $("state").textContent = words;
  $("announce").textContent = `Job: ${words}`;
}

function write(piece) {
  const output = $("output");
  const atEnd = output.scrollHeight - output.scrollTop - output.clientHeight < 40;
  let said = output.querySelector(".said");
  if (!said) output.replaceChildren((said = el("div", { class: "said" })));
  said.append(piece);
  if (atEnd) output.scrollTop = output.scrollHeight;
}

const text = (content, mono) => $("output").replaceChildren(el("div", { class: mono ? "said mono" : "said" }, content));

function showProgress(progress) {
  $("progress").hidden = !progress;
  if (!progress) return;
  $("bar").value = progress.fraction;
  $("progress-text").textContent = `${Math.round(progress.fraction * 100)} % ${progress.message}`.trim();
}

function facts(list) {
  const shown = list.filter(([, value]) => value && value !== "–");
  $("facts").hidden = !shown.length;
  $("facts").replaceChildren(...shown.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

// A file of the job: fetched with the key, which a frame's own address could not carry, and shown from memory.
async function file({ name, media_type: type, size, url, removed }) {
  const told = `${name} · ${type} · ${(size / 1024).toFixed(1)} KiB`;
  if (removed) return el("p", { class: "muted" }, `${told} · removed`);
  const blob = await (await request(url, { headers: { Accept: "*/*" } })).blob();
  const address = URL.createObjectURL(new Blob([blob], { type }));
  const save = el("p", { class: "row" }, el("a", { href: address, download: name, class: "button" }, `Download ${name}`), el("span", { class: "muted" }, told));
  if (type === "application/pdf") return el("div", {}, el("iframe", { src: `${address}#navpanes=0&view=FitH`, title: `${name}, the job's file`, class: "pdf" }), save);
  if (type.startsWith("image/")) return el("div", {}, el("img", { src: address, alt: name, class: "picture" }), save);
  return save;
}
