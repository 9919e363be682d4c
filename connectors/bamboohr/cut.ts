/**
 * A report as it comes: one JSON object whose `employees` can be many, cut into its rows while it is being read, so that
 * memory holds one of them and not all. What is not whole is no report.
 */

/** The reply ended, or went on, where JSON does not. */
export class BrokenReply extends Error {
  constructor(message: string) {
    super(message);
    this.name = "BrokenReply";
  }
}

const MAX_VALUE = 8 * 1024 * 1024;

/**
 * Gives the members of the one object in `text`: of those in `lists` each element by itself, of others the whole value.
 * Throws BrokenReply when the text ends before the object does, or is none.
 */
export async function* cutObject(
  text: AsyncIterable<string>,
  lists: ReadonlySet<string>,
): AsyncGenerator<{ readonly name: string; readonly value: unknown }, void> {
  let state: "start" | "name" | "colon" | "value" | "element" | "end" = "start";
  let name = "", held = "", depth = 0, quoted = false, escaped = false, isText = false;

  for await (const chunk of text) {
    for (let at = 0; at < chunk.length;) {
      const char = chunk[at]!;
      if (held === "" && /\s/.test(char)) {
        at++;
        continue;
      }
      if (held === "" && state !== "name" && state !== "value" && state !== "element") {
        at++;
        if (state === "start" && char === "{") state = "name";
        else if (state === "colon" && char === ":") state = "value";
        else throw new BrokenReply(`It has "${char}" where JSON has none`);
        continue;
      }
      if (held === "" && state === "name" && (char === "," || char === "}")) {
        at++;
        if (char === "}") state = "end";
        continue;
      }
      if (held === "" && state === "value" && char === "[" && lists.has(name)) {
        at++;
        state = "element";
        continue;
      }
      if (held === "" && state === "element" && (char === "," || char === "]")) {
        at++;
        if (char === "]") state = "name";
        continue;
      }
      // A value: a text ends with its quote, an object or list with its bracket, anything else before what follows it.
      const from = at;
      let ended = false;
      if (held === "") {
        isText = char === '"';
        depth = 0;
      }
      for (; at < chunk.length && !ended; at++) {
        const each = chunk.charCodeAt(at);
        if (quoted) {
          if (escaped) escaped = false;
          else if (each === 0x5c) escaped = true;
          else if (each === 0x22) {
            quoted = false;
            ended = depth === 0 && isText;
          }
        } else if (each === 0x22) quoted = true;
        else if (each === 0x7b || each === 0x5b) depth++;
        else if (depth > 0 && (each === 0x7d || each === 0x5d)) ended = --depth === 0;
        else if (depth === 0 && (each === 0x2c || each === 0x7d || each === 0x5d)) {
          ended = true;
          at--;
        }
      }
      held += chunk.slice(from, at);
      if (held.length > MAX_VALUE) throw new BrokenReply("One value of it has more than 8 MiB");
      if (!ended) continue;
      const value = parse(held);
      held = "";
      if (state === "name") {
        name = String(value);
        state = "colon";
      } else {
        yield { name, value };
        if (state === "value") state = "name";
      }
    }
  }
  if (state !== "end") throw new BrokenReply("It ends before its end");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BrokenReply("A value of it is not JSON");
  }
}
