/** Addresses with everything replaced that the connector's code does not name: hosts, segments of paths and parameters. */

export interface UrlParts {
  /** Hosts that stay. */
  readonly hosts: readonly string[];
  readonly isKnown: (segment: string) => boolean;
  readonly key: (name: string) => string;
  readonly value: (name: string, text: string) => string;
  /** Replaces a text that nothing is known of. */
  readonly text: (text: string) => string;
}

const BASE = "https://relative.invalid";

/** Absolute, a path, or a page relative to another one, such as `people?page=2`. */
export function isUrl(text: string): boolean {
  return /^https?:\/\/\S+$/i.test(text) || /^\/\S*$/.test(text) || /^[^\s?]*\?[^\s=]+=\S*$/.test(text);
}

export function replaceUrl(text: string, parts: UrlParts): string {
  if (!URL.canParse(text, BASE)) return parts.text(text);
  const url = new URL(text, BASE), isAbsolute = /^https?:/i.test(text);
  const path = url.pathname.split("/").map((segment) => segmentOf(segment, parts)).join("/");
  const query = [...url.searchParams].map(([name, value]) =>
    `${encodeURIComponent(parts.key(name))}=${encodeURIComponent(parts.value(name, value))}`
  );
  const rest = `${path}${query.length === 0 ? "" : `?${query.join("&")}`}`;
  if (isAbsolute) return `${url.protocol}//${parts.hosts.includes(url.host) ? url.host : "www.example.com"}${rest}`;
  return text.startsWith("/") ? rest : rest.slice(1);
}

function segmentOf(segment: string, { isKnown, text: replaced }: UrlParts): string {
  let text = segment;
  try {
    text = decodeURIComponent(segment);
  } catch {
    // It is replaced as it is.
  }
  return isKnown(text) || /^v\d{1,2}$/.test(text) ? segment : encodeURIComponent(replaced(text));
}
