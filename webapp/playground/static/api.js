// Talk to the API. The key lives in this tab's session storage, goes into a header, and never into an address.

const KEY = "slipway.key";

// Where the page came from, which may be another name of the server, or a path behind a proxy.
export const base = new URL(".", document.location.href);

export const key = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (value) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
};

// An answer that is an error: problem details (RFC 9457), or whatever stood between us and the service.
export class Problem extends Error {
  constructor(status, document, retryAfter) {
    super(document.detail ?? document.title ?? `The server answered ${status}.`);
    this.status = status;
    this.document = document;
    this.retryAfter = Number(retryAfter) || 0;
  }
}

export async function request(path, options = {}) {
  const headers = { Accept: "application/json", ...options.headers };
  if (key.get()) headers["X-API-Key"] = key.get();
  const answer = await fetch(new URL(path.replace(/^\//, ""), base), { cache: "no-store", ...options, headers });
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}

export const read = async (path, options) => (await request(path, options)).json();

async function problemOf(answer) {
  const text = await answer.text();
  let document = {};
  try {
    document = JSON.parse(text);
  } catch {
    document = { title: answer.statusText || "Error", detail: `The server answered ${answer.status}.` };
  }
  return new Problem(answer.status, document, answer.headers.get("Retry-After"));
}
