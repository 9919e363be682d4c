/** What a connector gave that it may not give, with the place of the function that gave it: no error of its own has one. */
import type { Wrong } from "../protocol.ts";

const { toString } = Function.prototype;
let code = "";

/** `text`: the module whose functions are looked for. */
export function keepCode(text: string): void {
  code = text;
}

export class Misuse extends Error {
  readonly wrong: Wrong;
  /** Where the function begins; null: it is not in the code as it is, such as one that was bound. */
  readonly at: readonly [line: number, column: number] | null;

  /** `by`: the function of the connector that gave it. */
  constructor(wrong: Wrong, by: unknown) {
    super(wrong);
    this.name = "Misuse";
    this.wrong = wrong;
    this.at = placeOfFunction(by);
  }
}

function placeOfFunction(by: unknown): Misuse["at"] {
  const offset = typeof by === "function" ? code.indexOf(toString.call(by)) : -1;
  if (offset < 0) return null;
  const before = code.slice(0, offset);
  return [before.split("\n").length, offset - before.lastIndexOf("\n")];
}
