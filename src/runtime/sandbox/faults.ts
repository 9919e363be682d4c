/** Errors that pass between the hub and a child: as text on the way, as errors on both sides. */
import { SourceFault, type SourceFaultKind } from "../../connector.ts";
import type { Threw } from "../../hub.ts";
import { Fault } from "../../model/errors.ts";
import { NO_RECORDS } from "../../runs/no-record.ts";
import type { FaultText, Wrong } from "./protocol.ts";

/** What is wrong with the connector itself: its author has to correct it. The message goes on after its name. */
export class ConnectorFault extends Error {
  /** Line and column within the loaded code, both from 1; null: not known. */
  readonly at: readonly [line: number, column: number] | null;

  constructor(message: string, { at = null, cause }: { at?: ConnectorFault["at"]; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ConnectorFault";
    this.at = at;
  }
}

/** What a connector did, where it gave something that it may not. The message goes on after its name. */
const WRONG: Partial<Record<Wrong, string>> = {
  generator: "gave nothing to read: its fetch should be an async generator",
  page: 'yielded what is no page: it should be an object of "records", a list, and "origin", a text or null',
  json: "yielded a page that is no JSON: it has a cycle, or a BigInt",
  check: "gave no result of its check",
};

const MAX_MESSAGE = 10_000;
const KINDS: ReadonlySet<string> = new Set(["connection", "credentials", "answer", "settings"]);

/** The error that a connector threw. */
export function errorOf(given: FaultText | undefined): Error {
  const text: Partial<FaultText> = given ?? {};
  const wrong = wordsOf(WRONG, text.wrong);
  if (wrong !== null) return new ConnectorFault(wrong, { at: placeOf(text) });
  if (KINDS.has(text.kind ?? "")) {
    return new SourceFault(text.kind as SourceFaultKind, (textOf(text.message) ?? "").slice(0, MAX_MESSAGE));
  }
  // As from an answer that is no JSON: it tells of the source, wherever it is thrown.
  if (text.name === "SyntaxError") return new SyntaxError("The connector could not parse a text");
  const { within } = text;
  return crashOf(text, "threw", typeof within === "string" && /^\w{1,60}$/.test(within) ? ` in "${within}"` : "");
}

/** `how`: what the connector did, such as `threw`. */
export function crashOf(text: Partial<FaultText>, how: string, where = ""): ConnectorFault {
  return new ConnectorFault(`${how} ${errorName(text) ?? "an error"}${where}`, { at: placeOf(text) });
}

/** What a child says of a row that it could not normalize. Whatever it says, this has the right types. */
export function threwOf(given: unknown): Threw {
  const text: Partial<FaultText> = typeof given === "object" && given !== null ? given : {};
  const gave = wordsOf(NO_RECORDS, text.wrong) ?? undefined, name = errorName(text) ?? undefined;
  return { name, gave, at: placeOf(text) ?? undefined };
}

function wordsOf(words: Partial<Record<Wrong, string>>, wrong: unknown): string | null {
  return typeof wrong === "string" && Object.hasOwn(words, wrong) ? words[wrong as Wrong]! : null;
}

function errorName({ name }: Partial<FaultText>): string | null {
  return typeof name === "string" && /^\w{1,60}$/.test(name) ? name : null;
}

/** Not by String, which calls the functions of an object that a child sent, or fails for want of them. */
export function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function placeOf({ at }: Partial<FaultText>): ConnectorFault["at"] {
  return Array.isArray(at) && at.length === 2 && at.every(Number.isSafeInteger) ? [at[0], at[1]] : null;
}

/** What a connector learns of the hub's errors: no more than it would in the hub's own process. */
export function textOfFault(error: unknown): FaultText {
  if (error instanceof SourceFault) return { kind: error.kind, message: error.message };
  if (error instanceof Fault) return { kind: "answer", message: error.message };
  return { kind: "connection", message: "The hub could not do this" };
}
