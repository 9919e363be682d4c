/** Errors that pass between the hub and a child: as text on the way, as errors on both sides. */
import { SourceFault, type SourceFaultKind } from "../../connector.ts";
import { Fault } from "../../model/errors.ts";
import type { FaultText } from "./protocol.ts";

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

const KINDS: ReadonlySet<string> = new Set(["connection", "credentials", "answer", "settings"]);

/** The error that a connector threw. */
export function errorOf(given: FaultText | undefined): Error {
  const text: Partial<FaultText> = given ?? {};
  if (KINDS.has(text.kind ?? "")) return new SourceFault(text.kind as SourceFaultKind, String(text.message));
  // As from an answer that is no JSON: it tells of the source, wherever it is thrown.
  if (text.name === "SyntaxError") return new SyntaxError("The connector could not parse a text");
  const { within } = text;
  return crashOf(text, "threw", typeof within === "string" && /^\w{1,60}$/.test(within) ? ` in "${within}"` : "");
}

/** `how`: what the connector did, such as `threw`. */
export function crashOf(text: Partial<FaultText>, how: string, where = ""): ConnectorFault {
  const name = /^\w{1,60}$/.test(text.name ?? "") ? text.name : "an error";
  return new ConnectorFault(`${how} ${name}${where}`, { at: placeOf(text) });
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
