/** Settings of how a connection's values are read: what each may be. Pure. */
import { isSupportedCountry } from "libphonenumber-js/min";
import { z } from "zod";

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
  isSupportedCountry,
  "should be the code of a country in capitals, as in ISO 3166, like GB or LV",
).meta({
  description: "The country of phone numbers that are written without + or 00",
  examples: ["LV"],
});

/** The comparable form of such a word: `On_Leave`, `on-leave` and `ON LEAVE` are one. */
export function foldWord(text: string): string {
  return text.replace(/[\s_-]+/g, " ").trim().toLowerCase().normalize("NFC");
}
