// The call that the form makes, as somebody would write it. The key stays a variable: snippets are pasted anywhere.

import { base } from "./api.js";

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

export function curl(agent, values) {
  const lines = [`curl -X POST ${quoted(urlOf(agent))}`, '-H "X-API-Key: $API_KEY"'];
  if (isForm(agent)) lines.push(...parts(values).map(([name, part]) => `-F ${quoted(`${name}=${part.file ? `@${part.file}` : part}`)}`));
  else lines.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(values))}`);
  return lines.join(" \\\n  ");
}

export function python(agent, values) {
  const input = isForm(agent) ? multipart(values) : [`    json=${literal(values, 1)},`];
  return [
    "import os",
    "",
    "import requests",
    "",
    "answer = requests.post(",
    `    ${JSON.stringify(urlOf(agent))},`,
    '    headers={"X-API-Key": os.environ["API_KEY"]},',
    ...input,
    ")",
    "answer.raise_for_status()",
    'print(answer.json()["result"])',
  ].join("\n");
}

const urlOf = (agent) => new URL(agent.run_url.replace(/^\//, ""), base).href;
const isForm = (agent) => agent.accepts !== "application/json";

function multipart(values) {
  const all = parts(values);
  const files = all.filter(([, part]) => part.file).map(([name, part]) => `        (${JSON.stringify(name)}, open(${JSON.stringify(part.file)}, "rb")),`);
  const data = all.filter(([, part]) => !part.file).map(([name, part]) => `        (${JSON.stringify(name)}, ${JSON.stringify(part)}),`);
  return [...(data.length ? ["    data=[", ...data, "    ],"] : []), "    files=[", ...files, "    ],"];
}

function parts(values) {
  return Object.entries(values).flatMap(([name, value]) =>
    [].concat(value).map((each) => [name, each instanceof File ? { file: each.name } : typeof each === "string" ? each : JSON.stringify(each)]),
  );
}

// A value of JSON as Python writes it.
function literal(value, depth) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((each) => literal(each, depth)).join(", ")}]`;
  const [inner, outer] = ["    ".repeat(depth + 1), "    ".repeat(depth)];
  const members = Object.entries(value).map(([name, each]) => `${inner}${JSON.stringify(name)}: ${literal(each, depth + 1)},\n`);
  return members.length ? `{\n${members.join("")}${outer}}` : "{}";
}
