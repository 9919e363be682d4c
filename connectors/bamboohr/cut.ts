/**
 * Cuts a report into its rows while it is read: one JSON object whose `employees` can be many. Memory holds one row and
 * not all of them. A report that is not whole is an error.
 */

/** The reply ended too early, or is not JSON. */
export class BrokenReply extends Error {
  constructor(message: string) {
    super(message);
    this.name = "BrokenReply";
  }
}

const MAX_VALUE = 8 * 1024 * 1024;
const QUOTE = 0x22, BACKSLASH = 0x5c, COMMA = 0x2c;

interface Cutting {
  readonly lists: ReadonlySet<string>;
  expected: "start" | "name" | "colon" | "value" | "element" | "end";
  /** Name of the current member. */
  name: string;
  /** The part of a name or value that came in earlier chunks; "" between values. */
  held: string;
  isText: boolean;
  /** Inside the value: open brackets, whether in a string, and whether behind a backslash. */
  depth: number;
  isQuoted: boolean;
  isEscaped: boolean;
}

/**
 * Yields the members of the one object in `text`: each element of those in `lists`, the whole value of others. Throws
 * BrokenReply when the text ends before the object does, or is not an object.
 */
export async function* cutObject(
  text: AsyncIterable<string>,
  lists: ReadonlySet<string>,
): AsyncGenerator<{ readonly name: string; readonly value: unknown }, void> {
  const cutting: Cutting = {
    lists,
    expected: "start",
    name: "",
    held: "",
    isText: false,
    depth: 0,
    isQuoted: false,
    isEscaped: false,
  };
  for await (const chunk of text) {
    for (let at = 0; at < chunk.length;) {
      if (cutting.held === "" && takeSign(cutting, chunk[at]!)) {
        at++;
        continue;
      }
      const from = at;
      at = findEnd(cutting, chunk, from);
      const isWhole = at >= 0;
      if (!isWhole) at = chunk.length;
      cutting.held += chunk.slice(from, at);
      if (cutting.held.length > MAX_VALUE) throw new BrokenReply("One value of it has more than 8 MiB");
      if (!isWhole) continue;
      const value = parse(cutting.held);
      cutting.held = "";
      if (cutting.expected === "name") {
        cutting.name = String(value);
        cutting.expected = "colon";
      } else {
        yield { name: cutting.name, value };
        if (cutting.expected === "value") cutting.expected = "name";
      }
    }
  }
  if (cutting.expected !== "end") throw new BrokenReply("It ends before its end");
}

/** Takes white space, and the signs between values. False: a name or a value begins here. */
function takeSign(cutting: Cutting, char: string): boolean {
  if (/\s/.test(char)) return true;
  switch (cutting.expected) {
    case "name":
      if (char === "}") cutting.expected = "end";
      return char === "," || char === "}";
    case "value":
      if (char !== "[" || !cutting.lists.has(cutting.name)) return false;
      cutting.expected = "element";
      return true;
    case "element":
      if (char === "]") cutting.expected = "name";
      return char === "," || char === "]";
  }
  if (cutting.expected === "start" && char === "{") cutting.expected = "name";
  else if (cutting.expected === "colon" && char === ":") cutting.expected = "value";
  else throw new BrokenReply(`It has "${char}" where JSON has none`);
  return true;
}

/**
 * The end of the value that begins or goes on at `from`, or -1 when it is not in this chunk. A text ends with its
 * quote, an object or list with its bracket, anything else before the sign that follows it.
 */
function findEnd(cutting: Cutting, chunk: string, from: number): number {
  if (cutting.held === "") {
    cutting.isText = chunk[from] === '"';
    cutting.depth = 0;
  }
  for (let at = from; at < chunk.length; at++) {
    const char = chunk.charCodeAt(at);
    if (cutting.isQuoted) {
      if (cutting.isEscaped) cutting.isEscaped = false;
      else if (char === BACKSLASH) cutting.isEscaped = true;
      else if (char === QUOTE) {
        cutting.isQuoted = false;
        if (cutting.depth === 0 && cutting.isText) return at + 1;
      }
    } else if (char === QUOTE) cutting.isQuoted = true;
    else if (char === 0x7b || char === 0x5b) cutting.depth++;
    else if (char === 0x7d || char === 0x5d || char === COMMA) {
      if (cutting.depth === 0) return at;
      if (char !== COMMA && --cutting.depth === 0) return at + 1;
    }
  }
  return -1;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BrokenReply("A value of it is not JSON");
  }
}
