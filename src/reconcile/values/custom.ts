/**
 * Values of an organization's own fields: the declaration of a field goes in, its reader comes out. No I/O. No clock.
 */

import type { CustomField } from "../../model/record.ts";
import type { DateFormat } from "../../model/value-settings.ts";
import { foldName } from "../fold.ts";
import { readYesNo } from "./boolean.ts";
import { createDateReader, type DateOrder } from "./date.ts";
import { readEmail } from "./email.ts";
import { readPhone } from "./phone.ts";
import { createTextReader, readCell, readText, refuseFlaw, tooLong } from "./text.ts";
import { type Reader, type Refusal, refuse, withoutDoubt } from "./value.ts";

/** Default limit of code points. */
const DEFAULT_MAX_LENGTH = 254;
/** The digits that a JavaScript number holds exactly. */
const MAX_DIGITS = 15;
const MAX_NUMBER_LENGTH = 100;
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?$/i;

/** `order`: of a date's column. */
export function createCustomReader(field: CustomField, dateFormat: DateFormat, order?: DateOrder): Reader {
  const maxLength = field.maxLength ?? DEFAULT_MAX_LENGTH;
  switch (field.type) {
    case "text":
      return createTextReader(maxLength, "keep");
    case "number":
      return readNumber;
    case "date":
      return createDateReader(dateFormat, { order });
    case "boolean":
      return readYesNo;
    case "select":
      return createOptionReader(field.options);
    case "multi_select":
      return createOptionsReader(field.options);
    case "email":
      return limit(readEmail, maxLength);
    case "phone":
      return limit(readPhone, maxLength);
    case "url":
      return limit(readUrl, maxLength);
  }
}

function limit(read: Reader, maxLength: number): Reader {
  return (cell) => {
    const result = read(cell), value = withoutDoubt(result);
    return typeof value === "string" ? tooLong(value, maxLength) ?? result : result;
  };
}

const readNumber: Reader = (cell) => {
  if (typeof cell === "number") return cell + 0;
  const text = readCell(cell, "refuse");
  if (typeof text !== "string") return text;
  const number = text.length <= MAX_NUMBER_LENGTH && NUMBER.test(text) ? Number(text) : NaN;
  if (!Number.isFinite(number)) {
    return refuse(
      "value_invalid",
      "it must be a number with a dot before decimals and nothing between thousands, like 1234.5",
      "Write the number with digits and a dot only",
    );
  }
  const digits = text.replace(/e.*$/i, "").replace(/\D/g, "").replace(/^0+|0+$/g, "").length;
  if (digits > MAX_DIGITS) {
    return refuse(
      "value_invalid",
      `it has ${digits} digits, and at most ${MAX_DIGITS} can be kept exactly`,
      "Make it a text field, or round the number",
    );
  }
  return number + 0;
};

const readUrl: Reader = (cell) => {
  const text = readCell(cell, "refuse");
  if (typeof text !== "string") return text;
  if (/^https?:\/\/[^\s/?#]\S*$/i.test(text) && URL.canParse(text)) return text;
  return refuse(
    "value_invalid",
    "it must be a web address that begins with https:// or http://, like https://example.com/ana",
    "Write the whole address",
  );
};

/** Options by their exact and their folded spelling; the exact one wins. */
function indexOptions(options: readonly string[]): (text: string) => string | null {
  const exact = new Set(options);
  const folded = new Map<string, string>();
  for (const option of options) if (!folded.has(foldName(option))) folded.set(foldName(option), option);
  return (text) => exact.has(text) ? text : folded.get(foldName(text)) ?? null;
}

function createOptionReader(options: readonly string[]): Reader {
  const find = indexOptions(options);
  return (cell) => {
    const text = readText(cell, "space");
    if (typeof text !== "string") return text;
    return find(text) ?? refuseFlaw(text) ?? unknownOption(null, options);
  };
}

/**
 * Reads several options: separated by commas in a cell, or an array of text. Each once, in the order of the options.
 */
function createOptionsReader(options: readonly string[]): Reader {
  const find = indexOptions(options);
  return (cell) => {
    const chosen = new Set<string>();
    if (!Array.isArray(cell)) {
      const text = readText(cell, "space");
      if (typeof text !== "string") return text;
      // An option may have a comma of its own.
      const whole = find(text);
      if (whole !== null) return [whole];
      const flaw = refuseFlaw(text);
      if (flaw !== null) return flaw;
      cell = text.split(",");
    }
    for (const part of cell as readonly unknown[]) {
      if (typeof part !== "string") {
        return refuse("value_invalid", "each of its options must be text", "Put each option in double quotes");
      }
      const text = readText(part, "space");
      if (text === null) continue;
      if (typeof text !== "string") return text;
      const option = find(text);
      if (option === null) return unknownOption(text, options);
      chosen.add(option);
    }
    return chosen.size === 0 ? null : options.filter((option) => chosen.has(option));
  };
}

function unknownOption(part: string | null, options: readonly string[]): Refusal {
  const shown = options.slice(0, 10).map((option) => `"${option}"`).join(", ");
  const more = options.length > 10 ? ` and ${options.length - 10} more` : "";
  const subject = part === null ? "it" : `"${[...part].slice(0, 60).join("")}"`;
  return refuse(
    "option_unknown",
    options.length === 0
      ? "the field has no options yet"
      : `${subject} is none of its options, which are ${shown}${more}`,
    "Use one of the options, or add this one to the field",
  );
}
