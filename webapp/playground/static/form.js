// A form made from the JSON schema of an agent's input, and the input read back from it.

import { el } from "./dom.js";

let count = 0;

// Returns {element, read, fault}: the fields, what they say, and how a fault is shown at one of them.
export function makeFields(schema) {
  const fields = Object.entries(schema.properties ?? {}).map(([name, each]) => {
    const required = (schema.required ?? []).includes(name);
    return { name, required, ...makeField(name, each, required) };
  });
  const read = () => {
    const values = fields.map(({ name, required, read }) => [name, read(required)]);
    return Object.fromEntries(values.filter(([, value]) => value !== undefined));
  };
  const fault = (path, message) => {
    const [first, ...rest] = path.split(/[./]/);
    const field = fields.find(({ name }) => name === first);
    return field ? field.fault(rest.join("."), message) : false;
  };
  return { elements: fields.map(({ element }) => element), read, fault };
}

function makeField(name, schema, required) {
  const kind = kindOf(schema);
  if (kind === "object") return group(name, schema, required);
  const id = `field-${(count += 1)}`;
  const input = CONTROLS[kind](schema, required);
  input.id = id;
  input.name = name;
  input.required = required && kind !== "boolean";
  const problem = el("p", { class: "fault", id: `${id}-fault`, hidden: true });
  const hint = hintOf(schema, kind);
  input.setAttribute("aria-describedby", [hint ? `${id}-hint` : "", `${id}-fault`].join(" ").trim());
  const label = el("label", { for: id }, titled(name), required ? null : el("span", { class: "muted" }, " optional"));
  const element = el(
    "div",
    { class: kind === "boolean" ? "field check" : "field" },
    ...(kind === "boolean" ? [input, label] : [label, input]),
    hint ? el("p", { class: "hint", id: `${id}-hint` }, hint) : null,
    problem,
  );
  input.addEventListener("input", () => show(input, problem, ""));
  return { element, read: (must) => READERS[kind](input, schema, must), fault: (_, message) => show(input, problem, message) };
}

function show(input, problem, message) {
  problem.textContent = message;
  problem.hidden = !message;
  if (message) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
  return input;
}

function group(name, schema, required) {
  const inner = makeFields(schema);
  const legend = el("legend", {}, titled(name), required ? null : el("span", { class: "muted" }, " optional"));
  const hint = schema.description ? el("p", { class: "hint" }, schema.description) : null;
  const element = el("fieldset", { class: "group" }, legend, hint, ...inner.elements);
  // An optional object of which nothing was filled in is left out, and so has its own default.
  const untouched = JSON.stringify(inner.read());
  const read = (must) => {
    const value = inner.read();
    return must || JSON.stringify(value) !== untouched ? value : undefined;
  };
  return { element, read, fault: inner.fault };
}

function kindOf(schema) {
  if (schema.format === "binary") return "file";
  if (schema.enum) return "choice";
  if (schema.type === "array") {
    if (schema.items?.format === "binary") return "files";
    return ["object", "array", undefined].includes(schema.items?.type) ? "json" : "lines";
  }
  if (schema.type === "object") return schema.properties ? "object" : "json";
  if (schema.type === "boolean") return schema.nullable ? "choice" : "boolean";
  if (schema.type === "integer" || schema.type === "number") return "number";
  return schema.type === "string" ? "text" : "json";
}

// Only what is short by its own word gets one line: in a longer text Enter begins a new line.
const short = (schema) => schema.maxLength !== undefined && schema.maxLength <= 120;

const initial = (schema, required) => schema.default ?? (required ? schema.example : undefined) ?? "";

const CONTROLS = {
  text: (schema, required) =>
    short(schema)
      ? el("input", { type: "text", value: initial(schema, required) })
      : el("textarea", { rows: required ? "5" : "2", placeholder: required ? null : schema.example }, initial(schema, required)),
  number: (schema, required) =>
    el("input", {
      type: "number",
      inputmode: schema.type === "integer" ? "numeric" : "decimal",
      step: schema.type === "integer" ? "1" : "any",
      min: schema.minimum?.toString(),
      max: schema.maximum?.toString(),
      value: `${initial(schema, required)}`,
    }),
  boolean: (schema) => el("input", { type: "checkbox", checked: schema.default === true }),
  choice: (schema, required) => {
    const values = (schema.enum ?? [true, false]).filter((value) => value !== null);
    const chosen = schema.default ?? (required ? values[0] : undefined);
    const none = required ? [] : [el("option", { value: "" }, "–")];
    const options = values.map((value) => el("option", { value: JSON.stringify(value), selected: value === chosen }, `${value}`));
    return el("select", {}, ...none, ...options);
  },
  lines: (schema, required) => el("textarea", { rows: "3" }, [].concat(initial(schema, required)).join("\n")),
  json: (schema, required) => {
    const value = initial(schema, required);
    return el("textarea", { rows: "3", class: "mono", spellcheck: "false" }, value === "" ? "" : JSON.stringify(value, null, 2));
  },
  file: () => el("input", { type: "file" }),
  files: () => el("input", { type: "file", multiple: true }),
};

const unless = (empty, value) => (empty ? undefined : value);

const READERS = {
  text: (input, _, must) => unless(!must && input.value === "", input.value),
  number: (input) => unless(input.value === "", Number(input.value)),
  boolean: (input) => input.checked,
  choice: (input) => unless(input.value === "", input.value && JSON.parse(input.value)),
  lines: (input, schema, must) => {
    const lines = input.value.split("\n").filter((line) => line.trim());
    return unless(!must && !lines.length, lines.map((line) => typed(line, schema.items)));
  },
  json: (input) => {
    if (!input.value.trim()) return undefined;
    try {
      return JSON.parse(input.value);
    } catch {
      return input.value; // the server says what is wrong with it
    }
  },
  file: (input) => unless(!input.files.length, input.files[0]),
  files: (input) => unless(!input.files.length, [...input.files]),
};

const typed = (line, schema) =>
  schema.type === "string" ? line : ["true", "false"].includes(line) ? line === "true" : Number.isNaN(Number(line)) ? line : Number(line);

function hintOf(schema, kind) {
  const said = [schema.description];
  if (kind === "lines") said.push("one on each line");
  if (kind === "json") said.push("as JSON");
  if (kind === "number" && schema.minimum !== undefined && schema.maximum !== undefined) said.push(`${schema.minimum} to ${schema.maximum}`);
  else if (schema.minimum !== undefined) said.push(`at least ${schema.minimum}`);
  else if (schema.maximum !== undefined) said.push(`at most ${schema.maximum}`);
  if (schema.maxLength) said.push(`up to ${schema.maxLength.toLocaleString("en")} characters`);
  return said.filter(Boolean).join(" · ");
}

const titled = (name) => name.replaceAll("_", " ");

// How an input travels: as JSON, or as a form where there are files.
export function encode(values, multipart) {
  if (!multipart) return { body: JSON.stringify(values), headers: { "Content-Type": "application/json" } };
  const form = new FormData();
  for (const [name, value] of Object.entries(values)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      form.append(name, each instanceof File || typeof each === "string" ? each : JSON.stringify(each));
    }
  }
  return { body: form, headers: {} };
}
