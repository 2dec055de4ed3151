// Run an agent from a page and read its answer while it is made, whatever breaks in between. No dependencies.
//
//   for await (const event of follow("https://api.example", key, "ai_service", { param1: "A text." })) { … }
//
// The service must name the page's origin in CORS_ORIGINS, unless the page comes from the service itself. A key that is
// given to a page is known to whoever opens it: give keys that may do little, or let your own server call.

const ENDS = ["completed", "failed", "canceled"];
const LATER = [429, 502, 503, 504]; // what says "not now" rather than "no"
const PATIENCE = 60_000; // milliseconds without any event after which we give up

// Yields {id, name, data}: each event once and in order, over as many connections as it takes.
export async function* follow(url, key, agent, payload, { signal } = {}) {
  // The name of the request makes it safe to send again: it starts one job, however often it arrives.
  const name = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16)).join("");
  const place = { job: "", last: "", retry: 2000, heard: Date.now() };
  for (;;) {
    try {
      const answer = await connect(url, key, agent, payload, name, place, signal);
      if (answer.status === 204) return; // the job has ended, and we have all of it
      if (!answer.ok) await refuse(answer, place);
      else {
        place.job = answer.headers.get("X-Job-ID");
        for await (const event of events(answer.body, place)) {
          yield event;
          if (ENDS.includes(event.name)) return;
        }
      }
    } catch (error) {
      // A broken connection is a TypeError: the job goes on, and so do we.
      if (!(error instanceof TypeError) || signal?.aborted) throw error;
    }
    if (Date.now() - place.heard > PATIENCE) throw new Error(`nothing was heard of the job ${place.job || agent}`);
    await new Promise((resolve) => setTimeout(resolve, place.retry));
  }
}

function connect(url, key, agent, payload, name, { job, last }, signal) {
  const headers = { "X-API-Key": key, Accept: "text/event-stream" };
  if (!job) {
    const start = { ...headers, "Content-Type": "application/json", "Idempotency-Key": name };
    return fetch(`${url}/v1/agents/${agent}/stream`, { method: "POST", headers: start, body: JSON.stringify(payload), signal });
  }
  return fetch(`${url}/v1/jobs/${job}/events`, { headers: last ? { ...headers, "Last-Event-ID": last } : headers, signal });
}

async function refuse(answer, place) {
  const problem = await answer.json().catch(() => ({}));
  if (!LATER.includes(answer.status)) throw new Error(problem.detail ?? `the service answered ${answer.status}`);
  place.retry = Number(answer.headers.get("Retry-After")) * 1000 || place.retry;
}

// A frame ends with an empty line; what is cut off before it is no event, and comes again on the next connection.
async function* events(body, place) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    const frames = (rest + value).split("\n\n");
    rest = frames.pop();
    for (const frame of frames) {
      const fields = Object.fromEntries(frame.split("\n").map((line) => line.split(/: ?(.*)/s, 2)));
      if (fields.retry) place.retry = Number(fields.retry);
      if (!fields.data) continue;
      place.last = fields.id ?? place.last;
      place.heard = Date.now();
      yield { id: fields.id, name: fields.event ?? "message", data: JSON.parse(fields.data) };
    }
  }
}
