/** Settings of how a connection's files and their values are read: what each may be. Pure. */
import { z } from "zod";
import { lowerCase } from "../std/lower-case.ts";
import { COUNTRIES } from "./countries.ts";

export const DATE_FORMATS = ["YYYY-MM-DD", "DD/MM/YYYY", "MM/DD/YYYY"] as const;
export type DateFormat = (typeof DATE_FORMATS)[number];

export const DATE_FORMAT = z.enum(DATE_FORMATS).default("YYYY-MM-DD").meta({
  description: "The order of day and month in dates like 03/04/2024 and 03-04-2024. Other dates need no setting",
});

const WORDS = z.array(z.string().trim().min(1).max(100)).max(100).optional();

/** Words that a connection's source has for people who work here, and for those who have left. */
export const ACTIVE_WORDS = z.strictObject({ active: WORDS, inactive: WORDS }).superRefine((words, context) => {
  const active = new Set(words.active?.map(foldWord));
  words.inactive?.forEach((word, place) => {
    if (!active.has(foldWord(word))) return;
    const message = `should not have "${word}", which is among the active words, too`;
    context.addIssue({ code: "custom", path: ["inactive", place], message });
  });
}).optional().meta({
  description: "Words of is_active besides the known ones, such as furloughed",
  examples: [{ active: ["furloughed"], inactive: ["gone"] }],
});
export type ActiveWords = NonNullable<z.output<typeof ACTIVE_WORDS>>;

/** The country in which numbers without a + are meant. */
export const PHONE_COUNTRY = z.string().refine(
  (code) => COUNTRIES.has(code),
  "should be the code of a country in capitals, as in ISO 3166, like GB or LV",
).meta({
  description: "The country of phone numbers that are written without + or 00",
  examples: ["LV"],
});

/** The comparable form of such a word: `On_Leave`, `on-leave` and `ON LEAVE` are one. */
export function foldWord(text: string): string {
  return lowerCase(text.replace(/[\s_-]+/g, " ").trim()).normalize("NFC");
}

export const CHARSET = z.string().trim().min(1).max(40).optional().meta({
  description:
    "Encoding of CSV and text files that are not UTF-8, such as windows-1252 or shift_jis. Set it when names " +
    "come out garbled, or when the hub says that a file is not UTF-8. A file with a byte order mark needs none.",
});

export const DELIMITER = z.enum(["auto", ",", ";", "\t", "|"]).default("auto").meta({
  description: "What separates the cells of a row. By default it is found from the rows; a first line `sep=;` sets it",
});

export const SKIP_LINES = z.int().min(0).max(100).default(0).meta({
  description: "How many lines are above the row of column names, such as a report's title and date. They are left out",
});

/** Of workbooks: which one is read; by default the first visible one with a usable header. */
export const SHEET = z.string().trim().min(1).max(31).optional();

/** True: a header counts only when it is spelled exactly like the field's name. */
export const EXACT_NAMES = z.boolean().default(false);
