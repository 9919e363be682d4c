/**
 * Finds where a text stops being JSON (RFC 8259), for messages: the runtime's own errors quote people's data, and
 * differ between runtimes. Only texts that failed to parse come here. No I/O.
 */

const TOKENS = {
  // Limited, as a pattern that matches megabytes at once can exhaust the stack.
  piece: /[ !#-[\]-\uffff]{1,65536}|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y,
  scalar: /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])/y,
  space: /[ \t\n\r]*/y,
} as const;

export interface JsonError {
  /** Index into the text, in UTF-16 units. */
  readonly at: number;
  /** What is wrong there, as a clause. */
  readonly what: string;
}

interface Reading {
  readonly text: string;
  at: number;
  expected: "value" | "value or ]" | "key" | "key or }" | "comma";
  /** The closing bracket of each open one. */
  readonly open: ("]" | "}")[];
}

/** The first error, or null when the text is JSON. */
export function findJsonError(text: string): JsonError | null {
  const reading: Reading = { text, at: 0, expected: "value", open: [] };
  for (;;) {
    take(reading, "space");
    const next = text[reading.at];
    if (reading.expected === "comma" && reading.open.length === 0) {
      return next === undefined ? null : { at: reading.at, what: "there is text after its end" };
    }
    const what = next === undefined ? "it ends too early" : readNext(reading, next);
    if (what !== null) return { at: reading.at, what };
  }
}

/** Reads one token, or a key with its colon. Returns what is wrong at `reading.at`, or null. */
function readNext(reading: Reading, next: string): string | null {
  switch (reading.expected) {
    case "comma":
      return readComma(reading, next);
    case "key":
    case "key or }":
      return readKey(reading, next);
    default:
      return readValue(reading, next);
  }
}

function readComma(reading: Reading, next: string): string | null {
  const close = reading.open.at(-1)!;
  if (next === close) return closeBracket(reading);
  if (next !== ",") return `expected "," or "${close}"`;
  reading.at++;
  reading.expected = close === "}" ? "key" : "value";
  return null;
}

function readKey(reading: Reading, next: string): string | null {
  if (next === "}") {
    return reading.expected === "key or }" ? closeBracket(reading) : 'there is a "," before it with nothing after it';
  }
  if (!takeString(reading)) return "expected a key in double quotes";
  take(reading, "space");
  if (reading.text[reading.at] !== ":") return 'expected ":"';
  reading.at++;
  reading.expected = "value";
  return null;
}

function readValue(reading: Reading, next: string): string | null {
  if (next === "]" && reading.expected === "value or ]") return closeBracket(reading);
  if (next === "{" || next === "[") {
    reading.at++;
    reading.open.push(next === "{" ? "}" : "]");
    reading.expected = next === "{" ? "key or }" : "value or ]";
    return null;
  }
  reading.expected = "comma";
  if (next === '"') {
    return takeString(reading) ? null : "the string that begins here has an escape that JSON does not know";
  }
  return take(reading, "scalar") ? null : "expected a value: a string in double quotes, a number, true, false or null";
}

function closeBracket(reading: Reading): null {
  reading.open.pop();
  reading.at++;
  reading.expected = "comma";
  return null;
}

/** Moves behind the token if it is next. */
function take(reading: Reading, token: keyof typeof TOKENS): boolean {
  const pattern = TOKENS[token];
  pattern.lastIndex = reading.at;
  if (!pattern.test(reading.text)) return false;
  reading.at = pattern.lastIndex;
  return true;
}

function takeString(reading: Reading): boolean {
  const start = reading.at;
  if (reading.text[reading.at] === '"') {
    reading.at++;
    while (take(reading, "piece"));
    if (reading.text[reading.at++] === '"') return true;
  }
  reading.at = start;
  return false;
}
