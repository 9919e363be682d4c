/** What a connector's `normalize` gives in place of a record. Pure: the hub and the processes of connectors use it. */
import { isObject } from "../std/is-object.ts";

/** In words that go on after "gives". */
export const NO_RECORDS = {
  nothing: "nothing",
  promise: "a promise",
  list: "a list",
  text: "a text",
  value: "no object",
} as const;

export type NoRecord = keyof typeof NO_RECORDS;

/** Null: the value is a record. */
export function noRecordOf(value: unknown): NoRecord | null {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "list";
  if (isObject(value)) return typeof value.then === "function" ? "promise" : null;
  return typeof value === "string" ? "text" : "value";
}
