/**
 * Time zones of the IANA database and languages of BCP 47, as the runtime's Intl knows them. Results are cached: a
 * million people live in a few zones. No I/O. No clock.
 */

import { readCell } from "./text.ts";
import { type Reader, type Refusal, refuse } from "./value.ts";

/** Limit of cached values, so that memory does not grow with bad input. */
const MAX_REMEMBERED = 2_000;
const MAX_REMEMBERED_LENGTH = 64;

/** Reads a time zone, in any case. Only its case is normalized: which alias is the main one depends on the runtime. */
export function createTimezoneReader(): Reader {
  return createRememberingReader((text) => {
    // Some runtimes accept offsets like +02:00, which are not zones, and have no summer time.
    const zone = /^[a-z][a-z0-9_+/-]{1,63}$/i.test(text) ? timezone(text) : null;
    return zone ?? refuse(
      "value_invalid",
      "it must be a time zone of the IANA database, like Europe/Berlin or America/New_York",
      "Write it as continent and city",
    );
  });
}

/** Reads a language tag; `en_US` is read as `en-US`. Stored in its canonical form. */
export function createLanguageReader(): Reader {
  return createRememberingReader((text) => {
    const tag = text.replaceAll("_", "-");
    const language = /^[a-z]{2,3}(?:-[a-z0-9]{1,8})*$/i.test(tag) && tag.length <= 35 ? languageTag(tag) : null;
    return language ?? refuse(
      "value_invalid",
      "it must be a language tag of BCP 47, like en, en-US or pt-BR",
      "Write the language as two letters",
    );
  });
}

function createRememberingReader(read: (text: string) => string | Refusal): Reader {
  const remembered = new Map<string, string | Refusal>();
  return (cell) => {
    const text = readCell(cell, "refuse");
    if (typeof text !== "string") return text;
    const known = remembered.get(text);
    if (known !== undefined) return known;
    const result = read(text);
    if (remembered.size < MAX_REMEMBERED && text.length <= MAX_REMEMBERED_LENGTH) remembered.set(text, result);
    return result;
  };
}

function timezone(text: string): string | null {
  try {
    const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions();
    return timeZone.toLowerCase() === text.toLowerCase() ? timeZone : text;
  } catch {
    return null;
  }
}

function languageTag(tag: string): string | null {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? null;
  } catch {
    return null;
  }
}
