// Follow one job from its start to its end, over as many connections as it takes.

import { Problem, request } from "./api.js";

const ENDS = new Set(["completed", "failed", "canceled"]);
const RETRY = 2000;
const LONGEST_WAIT = 10000;
// What says "not now" rather than "no".
const LATER = new Set([429, 502, 503, 504]);

// Yields the job's events as {id, event, data}. `onState` hears the job's id, and when the connection comes and goes.
export async function* follow(path, init, { signal, onState }) {
  // With its own name the first request can be repeated: it starts one job, however often it is sent.
  const headers = { ...init.headers, Accept: "text/event-stream", "Idempotency-Key": nonce() };
  const place = { job: "", last: "", retry: RETRY };
  for (let failures = 0; ; ) {
    try {
      const answer = await connect(place, path, { ...init, headers }, signal);
      if (answer.status === 204) return;
      place.job = answer.headers.get("X-Job-ID") ?? place.job;
      onState({ job: place.job, connected: true });
      for await (const event of events(answer.body, place)) {
        failures = 0;
        yield event;
        if (ENDS.has(event.event)) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && !(place.job && LATER.has(error.status))) throw error;
      failures += 1;
    }
    onState({ job: place.job, connected: false });
    await sleep(Math.min(place.retry * Math.max(1, failures), LONGEST_WAIT), signal);
    if (signal.aborted) return;
  }
}

function connect(place, path, init, signal) {
  if (!place.job) return request(path, { ...init, signal });
  const headers = { Accept: "text/event-stream" };
  if (place.last) headers["Last-Event-ID"] = place.last;
  return request(`v1/jobs/${place.job}/events`, { headers, signal });
}

// A frame ends with an empty line; what is cut off before it is no event, and comes again on the next connection.
async function* events(body, place) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const frames = (rest + value).split("\n\n");
    rest = frames.pop();
    for (const frame of frames) {
      const event = parse(frame, place);
      if (event) yield event;
    }
  }
}

function parse(frame, place) {
  const found = { id: "", event: "message", data: "" };
  for (const line of frame.split("\n")) {
    const colon = line.indexOf(":");
    if (colon === 0) continue; // a comment: the server is alive
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
    if (name === "retry") place.retry = Number(value) || RETRY;
    else if (name in found) found[name] = value;
  }
  if (!found.data) return null;
  if (found.id) place.last = found.id;
  return { ...found, data: JSON.parse(found.data) };
}

// Not crypto.randomUUID, which plain http on another machine does not have.
const nonce = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

const sleep = (ms, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
