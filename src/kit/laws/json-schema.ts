/** Whether a JSON Schema takes a value, as far as the words of this file go. Pure. */
import { isObject } from "../../std/is-object.ts";

export type Schema = Readonly<Record<string, unknown>>;

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null,
  array: Array.isArray,
  object: isObject,
};

/** True where only words decide that are not known here: a value that is refused is refused for certain. */
export function takes(schema: unknown, value: unknown): boolean {
  if (schema === false) return false;
  if (!isObject(schema)) return true;
  const all = (list: unknown) => !Array.isArray(list) || list.every((each) => takes(each, value));
  const some = (list: unknown) => !Array.isArray(list) || list.some((each) => takes(each, value));
  return takesType(schema, value) && takesSize(schema, value) && all(schema.allOf) && some(schema.anyOf) &&
    some(schema.oneOf) && (!isObject(value) || takesObject(schema, value)) &&
    (!Array.isArray(value) || value.every((each) => takes(schema.items, each)));
}

function takesType({ type, enum: values, const: only }: Schema, value: unknown): boolean {
  const types = typeof type === "string" ? [type] : Array.isArray(type) ? type as string[] : null;
  if (types !== null && !types.some((each) => TYPES[each]?.(value) ?? true)) return false;
  if (Array.isArray(values) && !values.includes(value)) return false;
  return only === undefined || isObject(only) || Array.isArray(only) || only === value;
}

function takesSize(schema: Schema, value: unknown): boolean {
  const size = typeof value === "number" ? value : typeof value === "string" ? [...value].length : null;
  if (size === null) return true;
  const [least, most] = typeof value === "number"
    ? [schema.minimum, schema.maximum]
    : [schema.minLength, schema.maxLength];
  return !(typeof least === "number" && size < least) && !(typeof most === "number" && size > most);
}

function takesObject({ properties = {}, required = [], additionalProperties }: Schema, value: object): boolean {
  const known = properties as Record<string, unknown>, given = Object.entries(value);
  if ((required as readonly string[]).some((name) => !Object.hasOwn(value, name))) return false;
  return given.every(([name, each]) =>
    Object.hasOwn(known, name) ? takes(known[name], each) : takes(additionalProperties, each)
  );
}
