/**
 * Files of a multipart form (RFC 7578) as streams: the runtime's own `formData()` holds all of it in memory.
 *
 * The API takes forms with one part, the field `file`; others are refused. A form with several can be split into such.
 */
import { Fault } from "../../model/errors.ts";
import { streamOf } from "../../std/streams.ts";
import type { Bytes } from "../../store/runs/cut-body.ts";

export interface FormFile {
  /** The file name that the sender gave; null: none. */
  readonly name: string | null;
  /** The media type that the sender gave; null: none. */
  readonly contentType: string | null;
  /** Fails when the form breaks off, or continues after the file. */
  readonly content: Bytes;
}

const MAX_HEAD_BYTES = 16 * 1024;

/** A form while it is read. */
interface Form {
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  /** Received and not used yet. */
  buffer: Uint8Array;
}

/** Reads up to the file's content. The rest of the form is read together with the content. */
export async function readFormFile(body: Bytes, contentType: string): Promise<FormFile> {
  const { form, delimiter } = await openForm(body, contentType);
  const head = new TextDecoder().decode(await readHead(form));
  const field = /^content-disposition:.*?[;\s]name="?([^";\r\n]*)"?/im.exec(head)?.[1];
  if (field !== "file") {
    await form.reader.cancel().catch(() => {});
    throw new Fault(
      "invalid_request",
      `The form has a field "${field ?? ""}"; it should have the one field "file", and parameters in the query`,
    );
  }
  return {
    name: fileNameIn(head),
    contentType: /^content-type:[ \t]*([^\r\n]+)/im.exec(head)?.[1]?.trim() ?? null,
    content: contentOf(form, delimiter),
  };
}

/** One file of a form with several, as a form of its own with the same boundary. */
export interface FormPart {
  /** As in FormFile; empty where no file was chosen. */
  readonly name: string | null;
  readonly body: Bytes;
}

/** The parts of a form, one after the other. What is not read of one is skipped when the next is asked for. */
export async function* splitForm(body: Bytes, contentType: string): AsyncGenerator<FormPart> {
  const { form, delimiter } = await openForm(body, contentType);
  const start = delimiter.subarray(2), end = latin1Bytes("--\r\n");
  do {
    const head = await readHead(form);
    // Who reads the part may stop in the middle of a chunk, which is waited for then.
    let isOver = false, isLeft = false, reading: Promise<unknown> = Promise.resolve();
    const read = async () => {
      const chunk = await readContent(form, delimiter);
      isOver = chunk === null;
      return chunk;
    };
    const chunks = async function* () {
      yield joined(start, joined(head, HEAD_END));
      while (!isOver && !isLeft) {
        const next = read();
        reading = next.catch(() => {});
        const chunk = await next;
        if (chunk !== null) yield chunk;
      }
      yield joined(delimiter, end);
    };
    yield { name: fileNameIn(new TextDecoder().decode(head)), body: streamOf(chunks()) as Bytes };
    isLeft = true;
    await reading;
    while (!isOver) await read();
  } while (!await isLast(form));
}

const HEAD_END = latin1Bytes("\r\n\r\n");

/** Reads up to the first part. */
async function openForm(body: Bytes, contentType: string): Promise<{ form: Form; delimiter: Uint8Array }> {
  const boundary = boundaryOf(contentType);
  if (boundary === null) throw new Fault("invalid_request", "The form's content type names no boundary");
  const delimiter = latin1Bytes(`\r\n--${boundary}`);
  // The first boundary has no line end before it. With one added here, it is found like all others.
  const form: Form = { reader: body.getReader(), buffer: latin1Bytes("\r\n") };
  await readPast(form, delimiter);
  return { form, delimiter };
}

/** The headers of a part, with the line end before them. */
function readHead(form: Form): Promise<Uint8Array> {
  return readPast(form, HEAD_END);
}

function fileNameIn(head: string): string | null {
  const name = /^content-disposition:.*?[;\s]filename="((?:[^"\\\r\n]|\\.)*)"/im.exec(head)?.[1];
  return name?.replace(/\\(.)/g, "$1") ?? null;
}

/** Gives what comes before `sought`, which is at most a header long. */
async function readPast(form: Form, sought: Uint8Array): Promise<Uint8Array> {
  for (;;) {
    const at = indexOf(form.buffer, sought);
    if (at >= 0) {
      const before = form.buffer.subarray(0, at);
      form.buffer = form.buffer.subarray(at + sought.length);
      return before;
    }
    if (form.buffer.length > MAX_HEAD_BYTES) {
      throw new Fault("invalid_request", "The form does not start with its boundary and a short header");
    }
    await readMore(form);
  }
}

async function readMore(form: Form): Promise<void> {
  const { done, value } = await form.reader.read();
  if (done) throw new Fault("input_incomplete", "The form ended early; nothing was stored");
  form.buffer = joined(form.buffer, value);
}

function contentOf(form: Form, delimiter: Uint8Array): Bytes {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = await readContent(form, delimiter);
      if (chunk !== null) return controller.enqueue(chunk);
      if (await isLast(form)) return controller.close();
      throw new Fault("invalid_request", `The form continues after its file; it should have the one field "file"`);
    },
    async cancel() {
      await form.reader.cancel().catch(() => {});
    },
  }, { highWaterMark: 0 }) as Bytes;
}

/** The next bytes of a part's content; null: it has ended, and its delimiter has been read. */
async function readContent(form: Form, delimiter: Uint8Array): Promise<Uint8Array | null> {
  for (;;) {
    const at = indexOf(form.buffer, delimiter);
    // The last bytes may be the beginning of the boundary, so they wait for the next ones.
    const sure = at >= 0 ? at : form.buffer.length - delimiter.length + 1;
    if (at === 0) {
      form.buffer = form.buffer.subarray(delimiter.length);
      return null;
    }
    if (sure > 0) {
      const chunk = form.buffer.slice(0, sure);
      form.buffer = form.buffer.slice(sure);
      return chunk;
    }
    await readMore(form);
  }
}

/** Whether the delimiter that was read last is the form's end. */
async function isLast(form: Form): Promise<boolean> {
  while (form.buffer.length < 2) await readMore(form);
  return form.buffer[0] === 0x2d && form.buffer[1] === 0x2d;
}

/** The boundary in a form's content type; null if there is none, or if it is not a form's. */
export function boundaryOf(contentType: string): string | null {
  if (!/^multipart\//i.test(contentType)) return null;
  const found = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType);
  return found === null ? null : (found[1] ?? found[2])!;
}

/** The index at or after `from` at which `sought` begins; -1 if it does not occur. */
export function indexOf(bytes: Uint8Array, sought: Uint8Array, from = 0): number {
  const last = bytes.length - sought.length;
  for (let at = bytes.indexOf(sought[0]!, from); at >= 0 && at <= last; at = bytes.indexOf(sought[0]!, at + 1)) {
    let same = 1;
    while (same < sought.length && bytes[at + same] === sought[same]) same++;
    if (same === sought.length) return at;
  }
  return -1;
}

export function latin1Bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
