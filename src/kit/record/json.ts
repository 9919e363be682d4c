/** Bodies and texts that are JSON. */
import { isObject } from "../../std/is-object.ts";

/** Of JSON, or of a line of it each; null: the body is neither. */
export function valuesIn(text: string): unknown[] | null {
  const value = parsed(text);
  if (value !== undefined) return [value];
  const values = text.split("\n").filter((line) => line.trim() !== "").map(parsed);
  return values.length > 0 && values.every(isObject) ? values : null;
}

/** Undefined: it is no list and no object. */
export function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
