/**
 * The child's end of the pipe: messages to the hub, questions to it, and errors as texts. What it uses is kept from the
 * connector, which may replace what is global.
 */
import { Misuse } from "./misuse.ts";
import type { Ask, FaultText, FromChild, ToChild } from "../protocol.ts";

declare const Deno: {
  readonly stdin: { readonly readable: AsyncIterable<Uint8Array> };
  readonly stdout: { writeSync(bytes: Uint8Array): number };
  exit(code: number): never;
};

export const { stringify, parse } = JSON;
export const { stdin } = Deno;
export const exit: (code: number) => never = Deno.exit.bind(Deno);
const encoder = new TextEncoder();
const { stdout } = Deno;

let asks = 0;
const asked = new Map<number, { resolve: (value: never) => void; reject: (error: unknown) => void }>();

/** Of the connector's own faults, known by their names as each package may have a class of its own. */
const KINDS = ["connection", "credentials", "answer", "settings"];

export function write(message: FromChild): void {
  writeText(stringify(message));
}

/** `text`: a FromChild as JSON. */
export function writeText(text: string): void {
  const bytes = encoder.encode(`${text}\n`);
  for (let from = 0; from < bytes.length;) from += stdout.writeSync(bytes.subarray(from));
}

/** Asks the hub, as part of the call `of`. Fails with a SourceFault. */
export function ask<T>(of: number, what: Ask, given: unknown): Promise<T> {
  const id = ++asks;
  return new Promise<T>((resolve, reject) => {
    asked.set(id, { resolve, reject });
    write({ ask: id, of, what, with: given });
  });
}

/** Takes the hub's answer to a question. */
export function takeAnswer({ answer, value, fault }: Extract<ToChild, { answer: number }>): void {
  const waiting = asked.get(answer);
  asked.delete(answer);
  if (fault === undefined) waiting?.resolve(value as never);
  else waiting?.reject(new SourceFault(fault));
}

/** As connectors know it from the hub's own process. */
class SourceFault extends Error {
  readonly kind: string;

  constructor({ kind, message }: FaultText) {
    super(message);
    this.name = "SourceFault";
    this.kind = kind;
  }
}

/** An error as a text: of errors that are no SourceFault the name and the place alone, as their messages may quote a person. */
export function faultText(error: unknown): FaultText {
  if (error instanceof Misuse) {
    return { kind: "connector", message: "", wrong: error.wrong, ...(error.at === null ? {} : { at: error.at }) };
  }
  if (!(error instanceof Error)) return { kind: "connector", message: "", name: typeof error };
  const at = placeOf(error);
  const { kind, within } = error as { kind?: unknown; within?: string };
  if (error.name === "SourceFault" && KINDS.includes(kind as string)) {
    return { kind: kind as "answer", message: String(error.message), name: error.name, ...at };
  }
  return { kind: "connector", message: "", name: String(error.name), within, ...at };
}

/** Where in the loaded code. The message is left out of the search, as it may contain anything. */
function placeOf(error: Error): Pick<FaultText, "at"> {
  const stack = String(error.stack ?? "").replace(String(error.message), "");
  const place = /blob:[^\s)]*:(\d+):(\d+)/.exec(stack);
  return place === null ? {} : { at: [Number(place[1]), Number(place[2])] };
}
