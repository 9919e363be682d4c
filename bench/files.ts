/** Writes the files of the bench: the same people in other orders, other quoting, and on a later day. */
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { COLUMNS, person, shuffled } from "./people.ts";

/** What a file holds, and how it is written. */
interface Variant {
  /** Seed of the order of its rows; null: by key. */
  readonly order: number | null;
  /** Whether it is a later day, on which 1 % of the people have changed. */
  readonly moved: boolean;
  /** `plain`: quotes where needed, LF. `other`: everything quoted, CRLF, the columns the other way round. */
  readonly style: "plain" | "other";
}

const VARIANTS = {
  sorted: { order: null, moved: false, style: "plain" },
  shuffled: { order: 31, moved: false, style: "plain" },
  reordered: { order: 32, moved: false, style: "plain" },
  changed: { order: 33, moved: true, style: "plain" },
  requoted: { order: 34, moved: true, style: "other" },
  requotedAgain: { order: 35, moved: true, style: "other" },
} as const satisfies Record<string, Variant>;

export type FileName = keyof typeof VARIANTS;

/** Writes one file of `people` people and gives its path. Overwrites. */
export function writePeople(folder: string, name: FileName, people: number): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.csv`);
  const { order, moved, style } = VARIANTS[name];
  const numbers = order === null ? null : shuffled(people, order);
  const line = style === "plain" ? plainLine : otherLine;
  const file = openSync(path, "w");
  let text = line([...COLUMNS]);
  for (let index = 0; index < people; index++) {
    text += line(person(numbers === null ? index : numbers[index]!, moved));
    if (text.length > 1 << 20) {
      writeSync(file, text);
      text = "";
    }
  }
  writeSync(file, text);
  closeSync(file);
  return path;
}

function plainLine(values: string[]): string {
  return values.map((value) => value.includes(",") ? `"${value}"` : value).join(",") + "\n";
}

function otherLine(values: string[]): string {
  return values.reverse().map((value) => `"${value}"`).join(",") + "\r\n";
}
