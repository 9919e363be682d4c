/**
 * A source's answers with everything replaced that its connector's own code does not name. Structure stays: names that the
 * code knows, lists and their lengths, the kind of each value, nothing, truth, and the numbers that pages are counted by.
 */
import { isObject } from "../../std/is-object.ts";
import type { Fakes } from "./fakes.ts";
import type { Words } from "./words.ts";

export interface Replacing {
  readonly fakes: Fakes;
  readonly words: Words;
  /** Fields by the source's own names; null: it has none. */
  readonly mapping: Readonly<Record<string, string | null>>;
  /** Texts of the settings, which may be names of the source's. */
  readonly settings: readonly string[];
  /** Hosts that the connector may ask, which stay. */
  readonly hosts: readonly string[];
}

export interface Replacer {
  /** All bodies are noted before the first one is replaced, so that nobody's number is taken for a count. */
  note(body: string): void;
  body(text: string, contentType: string | null): string;
  headers(headers: Headers): Headers;
  url(url: string): string;
  /** Values that are as they were, as `name: value`. */
  readonly kept: ReadonlySet<string>;
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
/** Words of names that count pages and what is in them. */
const PAGING: ReadonlySet<string> = new Set(
  ("total count page pages size limit offset skip top start index next prev previous after before per items results " +
    "records last first current max").split(" "),
);
const COUNTING: ReadonlySet<string> = new Set(
  "total count page pages size limit offset skip top start next prev previous after before".split(" "),
);
const MAX_PAGING = 10_000_000;
/** A number that may be somebody's. */
const MIN_ID = 1_000;
const FIRST_SECONDS = 1_000_000_000, LAST_SECONDS = 2_200_000_000;

const MEDIA_TYPES =
  /^(application\/(scim\+|hal\+|problem\+)?json|application\/x-ndjson|text\/(csv|plain|tab-separated-values|html|xml)|application\/xml)$/;
const RELATIONS = /\brel="?(next|prev|previous|first|last|self)"?/;
/** Of headers that the code names, those that are never kept. */
const CREDENTIALS = /cookie|auth|token|key|secret|session/;

export function createReplacer({ fakes, words, mapping, settings, hosts }: Replacing): Replacer {
  const names = new Set([...words.names, ...Object.keys(mapping), ...settings]);
  const lowerNames = new Set([...names].map((name) => name.toLowerCase()));
  const kept = new Set<string>(), ids = new Set<string>();

  function isPersonal(name: string): boolean {
    const field = Object.hasOwn(mapping, name) ? mapping[name] : null;
    if (field != null) return !SHARED_FIELDS.has(field);
    return partsOf(name).some((part) => PERSONAL.has(part));
  }

  function keyOf(key: string): string {
    return names.has(key) ? key : fakes.text(key);
  }

  function numberOf(key: string, value: number): number {
    if (Math.abs(value) <= 1 && Number.isInteger(value)) return value;
    if (isCount(key, value)) return value;
    if (value < MIN_ID && words.numbers.has(String(value)) && !isPersonal(key)) {
      kept.add(`${key}: ${value}`);
      return value;
    }
    const [whole, part, power] = String(Math.abs(value)).split(/[.e]/), sign = Math.sign(value);
    if (power !== undefined || whole!.length > 16) return sign;
    if (part !== undefined) return sign * Number(`${fakes.digits(whole!)}.${fakes.digits(part.slice(0, 6))}`);
    if (isTime(value)) return fakes.time(value * 1000) / 1000;
    if (isTime(value / 1000)) return fakes.time(value);
    return sign * Number(fakes.digits(whole!));
  }

  function isCount(key: string, value: number): boolean {
    const parts = partsOf(key);
    const isPaging = parts.every((part) => PAGING.has(part)) && parts.some((part) => COUNTING.has(part));
    return isPaging && Number.isInteger(value) && value > 0 && value < MAX_PAGING &&
      !(value >= MIN_ID && ids.has(String(value)));
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
    if (/^https?:\/\/\S+$/i.test(text) || /^\/\S*$/.test(text) || /^[^\s?]*\?[^\s=]+=\S*$/.test(text)) {
      return urlOf(text);
    }
    if (/^\+[\d\s()./-]{6,}$/.test(text)) return fakes.phone(text);
    return fakes.text(text);
  }

  function valueOf(key: string, value: unknown): unknown {
    if (typeof value === "string") return textOf(key, value);
    if (typeof value === "number") return numberOf(key, value);
    if (Array.isArray(value)) return value.map((each) => valueOf(key, each));
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [keyOf(name), valueOf(name, each)]));
  }

  function urlOf(text: string): string {
    if (!URL.canParse(text, BASE)) return fakes.text(text);
    const url = new URL(text, BASE), isAbsolute = /^https?:/i.test(text);
    const path = url.pathname.split("/").map(segmentOf).join("/");
    const query = [...url.searchParams].map(([name, value]) =>
      `${encodeURIComponent(keyOf(name))}=${encodeURIComponent(textOf(name, value))}`
    );
    const rest = `${path}${query.length === 0 ? "" : `?${query.join("&")}`}`;
    if (isAbsolute) return `${url.protocol}//${hosts.includes(url.host) ? url.host : "www.example.com"}${rest}`;
    return text.startsWith("/") ? rest : rest.slice(1);
  }

  function segmentOf(segment: string): string {
    let text = segment;
    try {
      text = decodeURIComponent(segment);
    } catch {
      // It is replaced as it is.
    }
    if (names.has(text) || /^v\d{1,2}$/.test(text)) return segment;
    return encodeURIComponent(fakes.text(text));
  }

  /** Cells as they are, quoted or not; the first line has the names of columns. */
  function tableOf(text: string): string {
    const head = text.slice(0, (text.indexOf("\n") + 1 || text.length + 1) - 1);
    const mark = [",", ";", "\t", "|"].sort((a, b) => head.split(b).length - head.split(a).length)[0]!;
    const cell = new RegExp(`("(?:[^"]|"")*"|[^\\${mark}\\r\\n]*)(\\${mark}|\\r?\\n|\\r|$)`, "gy");
    const columns: string[] = [];
    let isHead = true, at = 0;
    return text.replace(cell, (_, given: string, end: string) => {
      const isQuoted = given.length > 1 && given.startsWith('"');
      const value = isQuoted ? given.slice(1, -1).replaceAll('""', '"') : given;
      if (isHead) columns.push(value);
      const replaced = isHead ? keyOf(value) : textOf(columns[at] ?? "", value);
      at = end === mark ? at + 1 : 0;
      isHead &&= end === mark;
      return `${isQuoted ? `"${replaced.replaceAll('"', '""')}"` : replaced}${end}`;
    });
  }

  function noteIds(key: string, value: unknown): void {
    const isNumber = typeof value === "number" || (typeof value === "string" && /^\d+$/.test(value));
    if (isNumber && !isCount(key, Number(value))) ids.add(String(value));
    else if (Array.isArray(value)) { for (const each of value) noteIds(key, each); }
    else if (isObject(value)) { for (const [name, each] of Object.entries(value)) noteIds(name, each); }
  }

  return {
    kept,
    url: urlOf,
    note: (body) => noteIds("", valuesIn(body) ?? null),
    body(body, contentType) {
      const text = body.replace(/^\ufeff/, ""), values = valuesIn(text);
      if (values !== null) return values.map((value) => JSON.stringify(valueOf("", value))).join("\n");
      return /csv|tab-separated/.test(contentType ?? "") ? tableOf(text) : fakes.text(text);
    },
    headers(headers) {
      const made = new Headers();
      for (const [name, value] of headers) {
        if (name === "content-type") made.set(name, mediaTypeOf(value));
        else if (name === "link") made.set(name, linksOf(value, urlOf));
        else if (lowerNames.has(name) && !CREDENTIALS.test(name)) {
          made.set(name, textOf(name.replace(/^x-/, ""), value));
        }
      }
      return made;
    },
  };
}

const BASE = "https://relative.invalid";

/** `workEmail` and `work_email` are `work` and `email`. */
function partsOf(name: string): string[] {
  return name.replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2").toLowerCase().split(/[^\p{L}\p{N}]+/u).filter((part) =>
    part !== ""
  );
}

function isTime(seconds: number): boolean {
  return Number.isInteger(seconds) && seconds >= FIRST_SECONDS && seconds < LAST_SECONDS;
}

/** Of JSON, or of a line of it each; null: the body is neither. */
function valuesIn(text: string): unknown[] | null {
  const value = parsed(text);
  if (value !== undefined) return [value];
  const values = text.split("\n").filter((line) => line.trim() !== "").map(parsed);
  return values.length > 0 && values.every(isObject) ? values : null;
}

/** Undefined: it is no list and no object. */
function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function mediaTypeOf(contentType: string): string {
  const type = contentType.split(";")[0]!.trim().toLowerCase();
  if (!MEDIA_TYPES.test(type)) return type.endsWith("json") ? "application/json" : "text/plain; charset=utf-8";
  return type.startsWith("text/") ? `${type}; charset=utf-8` : type;
}

function linksOf(value: string, urlOf: (url: string) => string): string {
  const links = [...value.matchAll(/<([^>]*)>([^<]*)/g)].map(([, url, rest]) => {
    const relation = RELATIONS.exec(rest!)?.[1];
    return `<${urlOf(url!)}>${relation === undefined ? "" : `; rel="${relation}"`}`;
  });
  return links.join(", ");
}
