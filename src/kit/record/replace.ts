/**
 * A source's answers with everything replaced that its connector's own code does not name. Structure stays: names that the
 * code knows, lists and their lengths, the kind of each value, nothing, truth, and the numbers that pages are counted by.
 */
import { createCounts } from "./counts.ts";
import { valuesIn } from "./json.ts";
import { replaceCells } from "./tables.ts";
import { replaceUrl } from "./urls.ts";
import { createValues, type Replacing, type Values } from "./values.ts";

export interface ReplacerOptions extends Replacing {
  /** Texts of the settings, which may be names of the source's. */
  readonly settings: readonly string[];
  /** Hosts that the connector may ask, which stay. */
  readonly hosts: readonly string[];
}

export interface Replacer extends Pick<Values, "kept"> {
  /** All bodies are noted before the first one is replaced, so that nobody's number is taken for a count. */
  note(body: string): void;
  body(text: string, contentType: string | null): string;
  headers(headers: Headers): Headers;
  url(url: string): string;
}

const MEDIA_TYPES =
  /^(application\/(scim\+|hal\+|problem\+)?json|application\/x-ndjson|text\/(csv|plain|tab-separated-values|html|xml)|application\/xml)$/;
const RELATIONS = /\brel="?(next|prev|previous|first|last|self)"?/;
/** Of headers that the code names, those that are never kept. */
const CREDENTIALS = /cookie|auth|token|key|secret|session/;

export function createReplacer({ settings, hosts, ...replacing }: ReplacerOptions): Replacer {
  const { fakes, words, mapping } = replacing;
  const names = new Set([...words.names, ...Object.keys(mapping), ...settings]);
  const lowerNames = new Set([...names].map((name) => name.toLowerCase()));
  const isKnown = (name: string) => names.has(name);
  const key = (name: string) => isKnown(name) ? name : fakes.text(name);
  const counts = createCounts(), values = createValues(replacing, counts, key, url);

  function url(text: string): string {
    return replaceUrl(text, { hosts, isKnown, key, value: values.text, text: fakes.text });
  }

  return {
    kept: values.kept,
    url,
    note: (body) => counts.note(valuesIn(body) ?? null),
    body(body, contentType) {
      const text = body.replace(/^\ufeff/, ""), lines = valuesIn(text);
      if (lines !== null) return lines.map((value) => JSON.stringify(values.any("", value))).join("\n");
      if (!/csv|tab-separated/.test(contentType ?? "")) return fakes.text(text);
      return replaceCells(text, { key, value: values.text });
    },
    headers(headers) {
      const made = new Headers();
      for (const [name, value] of headers) {
        if (name === "content-type") made.set(name, mediaTypeOf(value));
        else if (name === "link") made.set(name, linksOf(value, url));
        else if (lowerNames.has(name) && !CREDENTIALS.test(name)) {
          made.set(name, values.text(name.replace(/^x-/, ""), value));
        }
      }
      return made;
    },
  };
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
