/** What the help page of a code has. The texts are sentences without the last full stop. No I/O. */

export interface Help {
  /** What has happened. Also instead of a message that its reader may not read. */
  readonly when: string;
  /** What was done with the row, the file or the request. */
  readonly then: string;
  /** What the reader can do about it. */
  readonly todo: string;
  readonly example: Example;
}

/** Something that has the code, and the same without it. Names are made up. */
export interface Example {
  /** What is shown: the field of a cell by its name for people, `Lines of a file`, or another thing. */
  readonly of: string;
  /** Empty for an empty cell. */
  readonly before: string;
  readonly after: string;
}

/** A table of codes. Its type has the codes and not their texts, which would be most of the types that connectors get. */
export function helps<const Code extends string>(table: Readonly<Record<Code, Help>>): Readonly<Record<Code, Help>> {
  return table;
}
