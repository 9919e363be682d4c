/** Values of a source's answers, each replaced by its kind and by what the connector's code knows of its name. */
import { isObject } from "../../std/is-object.ts";
import { type Counts, MIN_ID, partsOf } from "./counts.ts";
import type { Fakes } from "./fakes.ts";
import { parsed } from "./json.ts";
import { isUrl } from "./urls.ts";
import type { Words } from "./words.ts";

export interface Replacing {
  readonly fakes: Fakes;
  readonly words: Words;
  /** Fields by the source's own names; null: it has none. */
  readonly mapping: Readonly<Record<string, string | null>>;
}

export interface Values {
  /** Values that are as they were, as `name: value`. */
  readonly kept: ReadonlySet<string>;
  /** `key`: the name under which the text is. */
  text(key: string, text: string): string;
  any(key: string, value: unknown): unknown;
}

/** Fields that say of many people the same; those of other fields tell who somebody is. */
const SHARED_FIELDS: ReadonlySet<string> = new Set([
  "employment_status",
  "is_active",
  "on_leave",
  "timezone",
  "language",
]);
/** Words of names whose values are somebody's own, whatever the code says. */
const PERSONAL: ReadonlySet<string> = new Set(
  ("name names first last given family surname middle nick nickname preferred display full login user username mail email " +
    "emails phone phones mobile tel fax street address city zip postal birth birthday dob born ssn passport iban id ids number " +
    "manager boss supervisor note notes comment comments salary photo").split(" "),
);
const FIRST_SECONDS = 1_000_000_000, LAST_SECONDS = 2_200_000_000;

export function createValues(
  { fakes, words, mapping }: Replacing,
  { isCount }: Counts,
  keyOf: (name: string) => string,
  urlOf: (url: string) => string,
): Values {
  const kept = new Set<string>();

  function isPersonal(name: string): boolean {
    const field = Object.hasOwn(mapping, name) ? mapping[name] : null;
    if (field != null) return !SHARED_FIELDS.has(field);
    return partsOf(name).some((part) => PERSONAL.has(part));
  }

  function numberOf(key: string, value: number): number {
    if (Math.abs(value) <= 1 && Number.isInteger(value)) return value;
    if (isCount(key, value)) return value;
    if (value >= MIN_ID || !words.numbers.has(String(value)) || isPersonal(key)) return fakeNumber(value, fakes);
    kept.add(`${key}: ${value}`);
    return value;
  }

  function textOf(key: string, text: string): string {
    if (text === "true" || text === "false") return text;
    if (words.texts.has(text) && !isPersonal(key)) {
      if (/[\p{L}\p{N}]/u.test(text)) kept.add(key === "" ? text : `${key}: ${text}`);
      return text;
    }
    if (/^\d{1,7}$/.test(text) && isCount(key, Number(text))) return text;
    const nested = /^\s*[{[]/.test(text) ? parsed(text) : undefined;
    if (nested !== undefined) return JSON.stringify(valueOf(key, nested));
    if (isUrl(text)) return urlOf(text);
    return /^\+[\d\s()./-]{6,}$/.test(text) ? fakes.phone(text) : fakes.text(text);
  }

  function valueOf(key: string, value: unknown): unknown {
    if (typeof value === "string") return textOf(key, value);
    if (typeof value === "number") return numberOf(key, value);
    if (Array.isArray(value)) return value.map((each) => valueOf(key, each));
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [keyOf(name), valueOf(name, each)]));
  }

  return { kept, text: textOf, any: valueOf };
}

function fakeNumber(value: number, fakes: Fakes): number {
  const [whole, part, power] = String(Math.abs(value)).split(/[.e]/), sign = Math.sign(value);
  if (power !== undefined || whole!.length > 16) return sign;
  if (part !== undefined) return sign * Number(`${fakes.digits(whole!)}.${fakes.digits(part.slice(0, 6))}`);
  if (isTime(value)) return fakes.time(value * 1000) / 1000;
  if (isTime(value / 1000)) return fakes.time(value);
  return sign * Number(fakes.digits(whole!));
}

function isTime(seconds: number): boolean {
  return Number.isInteger(seconds) && seconds >= FIRST_SECONDS && seconds < LAST_SECONDS;
}
