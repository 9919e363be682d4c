/** The XML that S3-compatible stores answer with and are sent. */
import { SaxesParser } from "saxes";

export interface XmlAnswer {
  /** Name of the outermost element; empty: it is no XML. */
  readonly root: string;
  /** Texts of elements without elements in them, by name, which are directly in an element of this name. */
  records(name: string): Record<string, string>[];
}

/** Never fails: what is no XML has no root. */
export function parseXml(text: string): XmlAnswer {
  const found: { name: string; texts: Record<string, string> }[] = [];
  const open: typeof found = [];
  let root = "", content = "";
  const parser = new SaxesParser();
  parser.on("opentag", ({ name }) => {
    const element = { name: name.replace(/^.*:/, ""), texts: {} };
    if (open.length === 0) root = element.name;
    open.push(element);
    content = "";
  });
  parser.on("text", (more) => content += more);
  parser.on("cdata", (more) => content += more);
  parser.on("closetag", () => {
    const element = open.pop()!;
    found.push(element);
    if (Object.keys(element.texts).length === 0 && open.length > 0) open.at(-1)!.texts[element.name] ??= content.trim();
    content = "";
  });
  // Without a handler, an error is thrown.
  try {
    parser.write(text).close();
  } catch {
    return { root: "", records: () => [] };
  }
  return { root, records: (name) => found.filter((each) => each.name === name).map(({ texts }) => texts) };
}

/** What completes an upload: its parts in their order. `etags` as the store gave them. */
export function completionXml(etags: readonly string[]): string {
  const parts = etags.map((etag, n) => `<Part><PartNumber>${n + 1}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`);
  return `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
