/** Errors that pass between the hub and a child: as text on the way, as errors on both sides. */
import { SourceFault, type SourceFaultKind } from "../../connector.ts";
import { Fault } from "../../model/errors.ts";
import type { SaidFault } from "./protocol.ts";

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
export function errorOf(said: SaidFault): Error {
  if (KINDS.has(said?.kind)) return new SourceFault(said.kind as SourceFaultKind, String(said.message));
  // As from an answer that is no JSON: it tells of the source, wherever it is thrown.
  if (said?.name === "SyntaxError") return new SyntaxError("The connector could not parse a text");
  const { within } = said;
  return crashOf(said, "threw", typeof within === "string" && /^\w{1,60}$/.test(within) ? ` in "${within}"` : "");
}

/** `how`: what the connector did, such as `threw`. */
export function crashOf(said: SaidFault, how: string, where = ""): ConnectorFault {
  const name = /^\w{1,60}$/.test(said?.name ?? "") ? said.name : "an error";
  return new ConnectorFault(`${how} ${name}${where}`, { at: placeOf(said) });
}

function placeOf({ at }: SaidFault): ConnectorFault["at"] {
  return Array.isArray(at) && at.length === 2 && at.every(Number.isSafeInteger) ? [at[0], at[1]] : null;
}

/** What a connector learns of the hub's errors: no more than it would in the hub's own process. */
export function saidOf(error: unknown): SaidFault {
  if (error instanceof SourceFault) return { kind: error.kind, message: error.message };
  if (error instanceof Fault) return { kind: "answer", message: error.message };
  return { kind: "connection", message: "The hub could not do this" };
}
