/**
 * Email addresses: stored trimmed, in lower case and NFC. Unquoted local parts as in RFC 5322 and RFC 6531 (any
 * script), domains of at least two labels, international ones too. The local part may be longer than the 64 characters
 * of RFC 5321: such addresses exist, and work at their own servers. An address is also read out of what mail programs
 * copy: `mailto:ana@acme.com`, `Ana Ng <ana@acme.com>`. A refusal names the mistake. No I/O. No clock.
 */

import { BEYOND_ASCII, foldEmail } from "../fold.ts";
import { readCell, tooLong } from "./text.ts";
import { type Doubtful, type Reader, type Refusal, refuse } from "./value.ts";

/** RFC 5321 leaves room for 254 characters. */
const MAX_LENGTH = 254;
const EXAMPLE = "like ana@acme.com";

const PLAIN =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const LOCAL_CHARACTER = /[\p{L}\p{M}\p{N}\p{S}\p{Pc}\p{Pd}!#$%&'*/?{}]/u;
const LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}\u200c\u200d\u30fb-]*[\p{L}\p{M}\p{N}])?$/u;

export const readEmail: Reader = (cell) => {
  const text = readCell(cell, "refuse");
  if (typeof text !== "string") return text;
  const email = text.toLowerCase();
  if (email.length <= MAX_LENGTH && PLAIN.test(email)) return email;
  const address = unwrap(text);
  const refusal = tooLong(address, MAX_LENGTH) ?? findMistake(address);
  return refusal ?? doubt(foldEmail(address));
};

/** The address in `Ana Ng <ana@acme.com>` or `mailto:ana@acme.com?subject=…`; other text as it is. */
function unwrap(text: string): string {
  const [, name, inside] = /^([^<>]*)<([^<>]*)>$/.exec(text) ?? [];
  if (inside === undefined) return withoutScheme(text);
  const address = withoutScheme(inside.trim());
  // A name that is another address leaves open which one is meant.
  return name!.includes("@") && foldEmail(name!.replace(/["']/g, "")) !== foldEmail(address) ? text : address;
}

function withoutScheme(text: string): string {
  return /^mailto:/i.test(text) ? text.slice("mailto:".length).replace(/\?.*$/, "").trim() : text;
}

/** Alphabets with letters that look like those of another. */
const ALPHABETS: readonly (readonly [name: string, letter: RegExp])[] = [
  ["Latin", /\p{Script=Latin}/gu],
  ["Cyrillic", /\p{Script=Cyrillic}/gu],
  ["Greek", /\p{Script=Greek}/gu],
  ["Armenian", /\p{Script=Armenian}/gu],
];

/** The address, in doubt where it has letters of two alphabets: one of them may have been typed by mistake, or on purpose. */
function doubt(email: string): string | Doubtful {
  if (!BEYOND_ASCII.test(email)) return email;
  const used = ALPHABETS.map(([name, letter]) => ({ name, letters: email.match(letter) ?? [] }))
    .filter(({ letters }) => letters.length > 0)
    .sort((a, b) => b.letters.length - a.letters.length);
  if (used.length < 2) return email;
  const [most, odd] = [used[0]!, used.at(-1)!];
  const letter = odd.letters[0]!;
  const point = letter.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
  return {
    value: email,
    doubt: refuse(
      "alphabets_mixed",
      `it has letters of two alphabets: "${letter}" is U+${point} (${odd.name}), and most others are ${most.name}`,
      "If the address should have one alphabet, type it again; otherwise do nothing",
    ),
  };
}

function findMistake(text: string): Refusal | null {
  const wrong = (because: string, suggestion = "Correct the address") => refuse("email_invalid", because, suggestion);
  const better = (candidate: string) => {
    const email = foldEmail(candidate);
    return email !== text && findMistake(email) === null ? email : null;
  };
  const write = (email: string | null) => email === null ? undefined : `Write ${email}`;

  if (/@[^@]*[,;\s/|]+[^@]*@/.test(text)) {
    return wrong("it has more than one address, and each person has one", "Keep one of the addresses");
  }
  const at = text.indexOf("@");
  if (at < 0) return wrong(`it needs an @ and a domain, ${EXAMPLE}`);
  if (text.indexOf("@", at + 1) >= 0) return wrong(`it has more than one @, and needs exactly one, ${EXAMPLE}`);
  if (at === 0) return wrong(`it needs a name before the @, ${EXAMPLE}`);
  if (at === text.length - 1) return wrong(`it needs a domain, ${EXAMPLE}`, "Add the domain");
  if (/\s/.test(text)) {
    const without = better(text.replace(/\s+/g, ""));
    return wrong(`it has a space in it, and must have none, ${EXAMPLE}`, write(without));
  }
  if (text.includes(",")) {
    const dotted = better(text.replaceAll(",", "."));
    return wrong(`it has a comma where a dot should be${dotted ? `, like ${dotted}` : ""}`, write(dotted));
  }
  if (text.startsWith(".") || text.endsWith(".")) {
    const bare = better(text.replace(/^\.+|\.+$/g, ""));
    return wrong(`it must not begin or end with a dot${bare ? `, like ${bare}` : ""}`, write(bare));
  }
  if (text.includes("..")) {
    const single = better(text.replace(/\.{2,}/g, "."));
    return wrong(`it has two dots in a row${single ? `; one is right, like ${single}` : ""}`, "Remove one of the dots");
  }
  const local = text.slice(0, at);
  const domain = text.slice(at + 1);
  if (local.endsWith(".")) return wrong("it has a dot right before the @", "Remove the dot");
  if (domain.startsWith(".")) return wrong("it has a dot right after the @", "Remove the dot");
  for (const character of local) {
    if (character !== "." && !LOCAL_CHARACTER.test(character) && !"+=^`|~_-".includes(character)) {
      return wrong(`${quoted(character)} cannot be in an address, ${EXAMPLE}`);
    }
  }
  return findDomainMistake(domain, wrong);
}

function findDomainMistake(domain: string, wrong: (because: string, suggestion?: string) => Refusal): Refusal | null {
  const labels = domain.split(".");
  if (labels.length < 2) {
    return wrong(`its domain "${domain}" needs an ending, ${EXAMPLE}`, "Add the ending of the domain, such as .com");
  }
  for (const label of labels) {
    if (LABEL.test(label)) continue;
    const odd = [...label].find((character) => !/[\p{L}\p{M}\p{N}-]/u.test(character));
    if (odd) return wrong(`${quoted(odd)} cannot be in a domain, ${EXAMPLE}`);
    return wrong(`the part "${label}" of its domain must begin and end with a letter or a digit`);
  }
  if (/^\d+$/.test(labels[labels.length - 1]!)) {
    return wrong(`its domain "${domain}" needs an ending of letters, ${EXAMPLE}`);
  }
  if (!fitsDns(domain)) return wrong("its domain, or a part of it, is longer than a domain can be");
  return null;
}

/** At most 63 bytes a label and 253 in all, in DNS form (RFC 5891). */
function fitsDns(domain: string): boolean {
  let name = domain;
  if (BEYOND_ASCII.test(domain)) {
    try {
      name = new URL(`http://${domain}`).hostname;
    } catch {
      return false;
    }
  }
  return name.length <= 253 && name.split(".").every((label) => label.length <= 63);
}

function quoted(character: string): string {
  return character === '"' ? "a quotation mark" : `"${character}"`;
}
