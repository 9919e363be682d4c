/**
 * Files that are plainly of a kind that is no table, whatever their name says: web pages, XML, documents, and JSON that is
 * named like CSV. They are refused by name, as reading them would only show that they have no header. No I/O.
 */
import { Fault } from "../model/errors.ts";
import type { Entries } from "./workbook/zip.ts";

/** Tags that web pages and saved tables begin with. */
const HTML = /^(?:<!--[^]*?-->\s*|<\?xml[^>]*>\s*)*<(?:!doctype html|html|head|body|table|meta|script|div|style)\b/;
const XML = /^(?:<\?xml\s|<([a-z][\w.:-]*)(?:\s[^<>]*)?>\s*<)/;
const EXCEL_XML = /progid="excel\.sheet"|urn:schemas-microsoft-com:office:spreadsheet/;
const JSON_TEXT = /^(?:\[\s*(?:\{\s*["}]|\])|\{\s*"(?:[^"\\]|\\.)*"\s*:)/;

/** `head`: the first bytes, a kilobyte if there are as many. `named`: the kind that name or media type say. */
export function refuseOtherKind(head: Uint8Array, named: "csv" | "json" | "ndjson"): void {
  // Only ASCII matters here, and UTF-16 without its zeros looks the same.
  const text = String.fromCharCode(...head.subarray(0, 1024).filter((byte) => byte > 0 && byte < 0x7f)).trim()
    .toLowerCase();
  if (HTML.test(text)) {
    throw otherKind(
      "a web page (HTML)",
      "if it shows a table, open it in a spreadsheet and save it as .xlsx or CSV; if it is a log-in or error page, " +
        "export the file again",
    );
  }
  if (EXCEL_XML.test(text)) throw otherKind("a workbook of Excel 2003 (XML)", "open it and save it as .xlsx or CSV");
  if (XML.test(text)) throw otherKind("XML", "export it as CSV, JSON or .xlsx");
  if (text.startsWith("{\\rtf")) throw otherKind("a text document (RTF)", "save its table as .xlsx or CSV");
  if (named === "csv" && JSON_TEXT.test(text)) {
    throw otherKind(
      "JSON, although its name or media type says CSV",
      "send it with a name that ends in .json, or in .ndjson if each line is an object of its own",
    );
  }
}

/** Documents in archives, by the parts that they have. Null: it is none of them. */
export function documentFault(entries: Entries): Fault | null {
  const names = [...entries.keys()];
  const what = entries.has("mimetype")
    ? "an OpenDocument"
    : entries.has("word/document.xml")
    ? "a document of Word"
    : entries.has("ppt/presentation.xml")
    ? "a presentation of PowerPoint"
    : names.some((name) => /^index\.zip$|\.iwa$/i.test(name))
    ? "a document of Numbers, Pages or Keynote"
    : null;
  return what === null ? null : new Fault("workbook_invalid", `The file is ${what}: save it as .xlsx or CSV`);
}

function otherKind(what: string, remedy: string): Fault {
  return new Fault("encoding_invalid", `The file is ${what}: ${remedy}`);
}
