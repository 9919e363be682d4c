/**
 * A part of a workbook as XML, read as it is unpacked: elements and text by callbacks, nothing of it kept.
 *
 * Names come without their prefixes. What is not well-formed throws `workbook_invalid`, and so does a document type
 * declaration: workbooks have none, and what it declares could unfold without end.
 */
import { SaxesParser } from "saxes";
import { Fault } from "../../model/errors.ts";
import { type Entry, unpack } from "./zip.ts";
import { sizeInWords } from "../../std/size.ts";

export type Attributes = Readonly<Record<string, string>>;

export interface Handler {
  open?(name: string, attributes: Attributes): void;
  close?(name: string): void;
  /** A run of text; an element's text may come in several. */
  text?(text: string): void;
}

/** The parser holds a tag, a comment and a run of text whole until it ends. */
const MAX_RUN = 1_000_000;

/** Yields after each piece, so that a caller can take what its handler has gathered. */
export function* readXml(entry: Entry, handler: Handler): Generator<void, void> {
  const parser = createParser(entry.name, handler);
  let decoder: TextDecoder | null = null;
  let run = 0;
  for (const piece of unpack(entry)) {
    decoder ??= decoderFor(piece);
    const text = decode(entry.name, decoder, piece);
    run = guard(entry.name, text, run);
    parser.write(text);
    yield;
  }
  parser.write(decode(entry.name, decoder ?? new TextDecoder("utf-8", { fatal: true })));
  parser.close();
  yield;
}

/** Small parts, which are read in one go. */
export function readWhole(entry: Entry, handler: Handler): void {
  if (entry.bytes > MAX_SMALL_BYTES) {
    throw new Fault(
      "too_large",
      `The part "${entry.name}" of the workbook has ${sizeInWords(entry.bytes)}, over the limit of ${
        sizeInWords(MAX_SMALL_BYTES)
      }`,
    );
  }
  for (const _ of readXml(entry, handler));
}

const MAX_SMALL_BYTES = 16 * 1024 * 1024;

function createParser(part: string, handler: Handler): SaxesParser {
  const parser = new SaxesParser({ position: false });
  parser.on("error", (error) => {
    throw broken(part, error);
  });
  parser.on("doctype", () => {
    throw new Fault(
      "workbook_invalid",
      `The part "${part}" of the workbook has a document type declaration, which is not read`,
    );
  });
  if (handler.open) {
    parser.on("opentag", ({ name, attributes }) => handler.open!(localName(name), attributes as Attributes));
  }
  if (handler.close) parser.on("closetag", ({ name }) => handler.close!(localName(name)));
  if (handler.text) {
    parser.on("text", (text) => handler.text!(text));
    parser.on("cdata", (text) => handler.text!(text));
  }
  return parser;
}

/** The attribute of this name, whatever its prefix. */
export function attribute(attributes: Attributes, name: string): string | undefined {
  return attributes[name] ?? Object.entries(attributes).find(([key]) => localName(key) === name)?.[1];
}

function localName(name: string): string {
  const colon = name.indexOf(":");
  return colon < 0 ? name : name.slice(colon + 1);
}

/** Fails when there are too many characters between two tags, before the parser gathers them. */
function guard(part: string, text: string, before: number): number {
  let from = 0, run = before;
  for (let tag = text.indexOf("<"); tag >= 0; tag = text.indexOf("<", from)) {
    if (run + tag - from > MAX_RUN) throw tooLong(part);
    run = 0;
    from = tag + 1;
  }
  run += text.length - from;
  if (run > MAX_RUN) throw tooLong(part);
  return run;
}

/** By its byte order mark; without one a workbook is in UTF-8. */
function decoderFor(head: Uint8Array): TextDecoder {
  const mark = head[0]! << 8 | (head[1] ?? 0);
  return new TextDecoder(mark === 0xfeff ? "utf-16be" : mark === 0xfffe ? "utf-16le" : "utf-8", { fatal: true });
}

function decode(part: string, decoder: TextDecoder, bytes?: Uint8Array): string {
  try {
    return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
  } catch (cause) {
    throw broken(part, cause);
  }
}

function broken(part: string, cause: unknown): Fault {
  return new Fault(
    "workbook_invalid",
    `The part "${part}" of the workbook is not valid XML: open it in a spreadsheet and save it again`,
    { cause },
  );
}

function tooLong(part: string): Fault {
  return new Fault("too_large", `The part "${part}" of the workbook has a text of over ${MAX_RUN} characters`);
}
