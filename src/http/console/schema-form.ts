/**
 * A form of a JSON Schema, such as that of a connector's settings, and what was filled in as JSON. Fields are named by
 * pointers, as the API names them in its refusals. What the schema says beyond the kind of a value is left to the API,
 * which checks it and explains it. No I/O.
 */
import { html } from "hono/html";
import { isObject } from "../../std/is-object.ts";
import { pointerOf } from "../../std/json-pointer.ts";
import type { Html } from "../pages/frame.ts";
import { named } from "./feeds.ts";
import {
  type Option,
  type Typed,
  viewArea,
  viewChoice,
  viewChoices,
  viewHint,
  viewInput,
  viewSelect,
} from "./fields.ts";

export type Schema = Readonly<Record<string, unknown>>;

/** What kind of field a value gets. */
type Kind = "boolean" | "number" | "choice" | "choices" | "lines" | "object" | "text" | "json";

const ABSENT = Symbol("absent");

function kindOf({ type, enum: values, items, properties }: Schema): Kind {
  if (Array.isArray(values) && type === "string") return "choice";
  if (type === "boolean") return "boolean";
  if (type === "number" || type === "integer") return "number";
  if (type === "string") return "text";
  if (type === "object" && isObject(properties)) return "object";
  if (type === "array" && isObject(items) && items.type === "string") {
    return Array.isArray(items.enum) ? "choices" : "lines";
  }
  return "json";
}

export interface Property {
  readonly name: string;
  readonly schema: Schema;
  readonly isRequired: boolean;
}

/** The properties of an object's schema, those that are required first. */
export function propertiesOf({ properties, required }: Schema): Property[] {
  const needed = new Set(Array.isArray(required) ? required : []);
  return Object.entries(isObject(properties) ? properties : {})
    .map(([name, schema]) => ({ name, schema: schema as Schema, isRequired: needed.has(name) }))
    .sort((a, b) => Number(b.isRequired) - Number(a.isRequired));
}

/** The field of one property. `path`: of the object that has it. `value`: what is set; undefined: nothing is. */
export function viewProperty(property: Property, path: readonly string[], value: unknown, typed: Typed): Html {
  const { name, schema, isRequired } = property, kind = kindOf(schema);
  const hint = [schema.description, exampleOf(schema)].filter((part) => typeof part === "string").join(". ") ||
    undefined;
  const field = { name: pointerOf([...path, name]), label: titleOf(property), hint, isRequired };
  switch (kind) {
    case "boolean":
      return viewChoice(
        { ...field, value: "yes" },
        (value ?? schema.default) === true ? ["yes"] : [],
        typed,
      );
    case "choice":
      return viewSelect({ ...field, value: textOf(value), options: optionsOf(schema, isRequired) }, typed);
    case "choices":
      return viewChoices({
        ...field,
        options: ((schema.items as Schema).enum as unknown[]).map(String).map((each) => ({ value: each, title: each })),
        chosen: Array.isArray(value) ? value.map(String) : [],
      }, typed);
    case "object":
      return html`<fieldset class="inner"><legend>${field.label}</legend>${
        hint === undefined ? "" : html`<p class="small soft">${viewHint(hint)}</p>`
      }${
        propertiesOf(schema).map((each) =>
          viewProperty(each, [...path, name], isObject(value) ? value[each.name] : undefined, typed)
        )
      }</fieldset>`;
    case "lines":
      return viewArea({
        ...field,
        hint: [hint, "One a line"].filter(Boolean).join(". "),
        value: Array.isArray(value) ? value.join("\n") : "",
      }, typed);
    case "number":
      return viewInput({
        ...field,
        type: "number",
        value: textOf(value),
        min: numberOf(schema.minimum),
        max: numberOf(schema.maximum),
      }, typed);
    case "text":
      return viewInput({ ...field, value: textOf(value) }, typed);
    case "json":
      return viewArea({
        ...field,
        hint: [hint, "Written as JSON"].filter(Boolean).join(". "),
        value: value === undefined ? "" : JSON.stringify(value),
      }, typed);
  }
}

function titleOf({ name, schema }: Property): string {
  return typeof schema.title === "string" ? schema.title : named(name);
}

/** What happens where nothing is filled in, or what could be. */
function exampleOf(schema: Schema): string | undefined {
  const kind = kindOf(schema), { default: usual, examples } = schema;
  if (kind === "boolean" || kind === "choice") return undefined;
  if (usual !== undefined) return `Empty: ${Array.isArray(usual) ? usual.join(", ") : JSON.stringify(usual)}`;
  const example = Array.isArray(examples) ? examples[0] : undefined;
  return typeof example === "string" || typeof example === "number" ? `For example ${example}` : undefined;
}

function optionsOf(schema: Schema, isRequired: boolean): Option[] {
  const { enum: values, default: usual } = schema;
  const all = (values as unknown[]).map((each) => ({ value: String(each), title: labelOf(schema, each) }));
  if (isRequired) return usual === undefined ? [{ value: "", title: "choose one" }, ...all] : all;
  return [{ value: "", title: usual === undefined ? "as usual" : `as usual: ${labelOf(schema, usual)}` }, ...all];
}

/** `labels`: words for the values, where a form of the console's own has them. */
function labelOf({ labels }: Schema, value: unknown): string {
  const label = isObject(labels) ? labels[String(value)] : undefined;
  return typeof label === "string" ? label : value === "\t" ? "tab" : String(value);
}

/**
 * The object that the form means. `current`: what is set now. What is left empty is left out, as the connector's or
 * another default is in force then; a tick box that was never set and is as usual is not set either.
 */
export function readProperties(
  schema: Schema,
  path: readonly string[],
  form: URLSearchParams,
  current: Schema,
): { readonly values: Record<string, unknown>; readonly errors: ReadonlyMap<string, string> } {
  const values: Record<string, unknown> = {}, errors = new Map<string, string>();
  for (const { name, schema: inner } of propertiesOf(schema)) {
    const value = readValue(inner, [...path, name], form, current[name], errors);
    if (value !== ABSENT) values[name] = value;
  }
  return { values, errors };
}

function readValue(
  schema: Schema,
  path: readonly string[],
  form: URLSearchParams,
  current: unknown,
  errors: Map<string, string>,
): unknown {
  const name = pointerOf(path), text = form.get(name) ?? "", kind = kindOf(schema);
  if (kind === "boolean") {
    const value = form.has(name);
    return current === undefined && value === (schema.default ?? false) ? ABSENT : value;
  }
  if (kind === "object") {
    const inner = readProperties(schema, path, form, isObject(current) ? current : {});
    for (const [at, error] of inner.errors) errors.set(at, error);
    return Object.keys(inner.values).length === 0 ? ABSENT : inner.values;
  }
  if (kind === "choices") return form.has(name) ? form.getAll(name) : ABSENT;
  // A separator may be a tab.
  if (kind === "choice") return text === "" ? ABSENT : text;
  if (text.trim() === "") return ABSENT;
  if (kind === "lines") return text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
  // What is no number is sent as it is: the API says so.
  if (kind === "number") return Number.isNaN(Number(text)) ? text : Number(text);
  return kind === "json" ? readJson(text, name, errors) : text.trim();
}

function readJson(text: string, name: string, errors: Map<string, string>): unknown {
  try {
    return JSON.parse(text);
  } catch {
    errors.set(name, "should be JSON");
    return ABSENT;
  }
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? "" : String(value);
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : undefined;
}
