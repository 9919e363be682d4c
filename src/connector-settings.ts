/**
 * The public module for connectors with settings that the hub itself reads values and files by, for schemas that are made
 * with zod.
 */
import {
  ACTIVE_WORDS,
  CHARSET,
  DATE_FORMAT,
  DELIMITER,
  EXACT_NAMES,
  PHONE_COUNTRY,
  SHEET,
  SKIP_LINES,
} from "./model/value-settings.ts";

/** Settings that the hub reads values by. For sources that write dates, status and phones in their own way. */
export const VALUE_SETTINGS = {
  date_format: DATE_FORMAT,
  active_words: ACTIVE_WORDS,
  phone_country: PHONE_COUNTRY.optional(),
};

/** Settings that the hub reads files by, for connectors that take them. */
export const FILE_SETTINGS = {
  charset: CHARSET,
  delimiter: DELIMITER,
  skip_lines: SKIP_LINES,
  sheet: SHEET,
  ...VALUE_SETTINGS,
  exact_names: EXACT_NAMES,
};
