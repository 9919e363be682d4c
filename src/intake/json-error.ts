/**
 * Where a text stops being JSON (RFC 8259), for messages: the runtime's own errors quote people's data and differ.
 * Only texts that failed to parse come here. No I/O.
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
  /** What stands there and what should. */
  readonly what: string;
}

/** The first error, or null when the text is JSON. */
export function findJsonError(text: string): JsonError | null {
  /** What each open bracket is closed by. */
  const open: string[] = [];
  let at = 0;
  let expect: "value" | "value or ]" | "key" | "key or }" | "," = "value";
  const take = (token: keyof typeof TOKENS): boolean => {
    const pattern = TOKENS[token];
    pattern.lastIndex = at;
    const found = pattern.test(text);
    if (found) at = pattern.lastIndex;
    return found;
  };
  const takeString = (): boolean => {
    const start = at;
    if (text[at] === '"') {
      at++;
      while (take("piece"));
      if (text[at++] === '"') return true;
    }
    at = start;
    return false;
  };
  for (;;) {
    take("space");
    const next = text[at];
    if (expect === "," && open.length === 0) {
      return next === undefined ? null : { at, what: "there is text after its end" };
    }
    if (next === undefined) return { at, what: "it ends too early" };
    if (expect === ",") {
      if (next === open.at(-1)) open.pop();
      else if (next === ",") expect = open.at(-1) === "}" ? "key" : "value";
      else return { at, what: `a "," or "${open.at(-1)}" should stand here` };
      at++;
    } else if (expect === "key" || expect === "key or }") {
      if (next === "}" && expect === "key or }") {
        open.pop();
        at++;
        expect = ",";
        continue;
      }
      if (next === "}") return { at, what: 'there is a "," before it with nothing after it' };
      if (!takeString()) return { at, what: "a key in double quotes should stand here" };
      take("space");
      if (text[at] !== ":") return { at, what: 'a ":" should stand here' };
      at++;
      expect = "value";
    } else if (next === "{" || next === "[") {
      open.push(next === "{" ? "}" : "]");
      at++;
      expect = next === "{" ? "key or }" : "value or ]";
    } else if (next === "]" && expect === "value or ]") {
      open.pop();
      at++;
      expect = ",";
    } else if (next === '"') {
      if (!takeString()) return { at, what: "the string that begins here has an escape that JSON does not know" };
      expect = ",";
    } else {
      if (!take("scalar")) {
        return { at, what: "a value should stand here: a string in double quotes, a number, true, false or null" };
      }
      expect = ",";
    }
  }
}
