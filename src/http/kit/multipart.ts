/**
 * The one file of a multipart form (RFC 7578), as a stream: the runtime's own `formData()` holds all of it in memory.
 *
 * The form has one part, the field `file`. Anything else in it is refused by name rather than passed over.
 */
import { Fault } from "../../model/errors.ts";
import type { Bytes } from "../../store/runs/drop-content.ts";

export interface FormFile {
  /** As the sender called it; null when it did not. */
  readonly name: string | null;
  /** Media type as the sender named it; null when it did not. */
  readonly contentType: string | null;
  /** Fails when the form breaks off or goes on after the file. */
  readonly content: Bytes;
}

const MAX_HEAD_BYTES = 16 * 1024;

/** Reads up to the file's content; the rest is read as the content is. */
export async function readFormFile(body: Bytes, contentType: string): Promise<FormFile> {
  const boundary = boundaryOf(contentType);
  if (boundary === null) throw new Fault("invalid_request", "The form's content type names no boundary");
  const delimiter = latin1Bytes(`\r\n--${boundary}`);
  const reader = body.getReader();
  // The first boundary has no line end before it; with one put there it is found as all others.
  let buffer = latin1Bytes("\r\n");

  async function more(): Promise<void> {
    const { done, value } = await reader.read();
    if (done) throw new Fault("input_incomplete", "The form ended early; nothing was stored");
    const joined = new Uint8Array(buffer.length + value.length);
    joined.set(buffer);
    joined.set(value, buffer.length);
    buffer = joined;
  }

  async function findWithin(sought: Uint8Array, maxBytes: number): Promise<number> {
    for (;;) {
      const at = indexOf(buffer, sought);
      if (at >= 0) return at;
      if (buffer.length > maxBytes) {
        throw new Fault("invalid_request", "The form does not start with its boundary and a short header");
      }
      await more();
    }
  }

  const start = await findWithin(delimiter, MAX_HEAD_BYTES);
  buffer = buffer.subarray(start + delimiter.length);
  const headEnd = await findWithin(latin1Bytes("\r\n\r\n"), MAX_HEAD_BYTES);
  const head = new TextDecoder().decode(buffer.subarray(0, headEnd));
  buffer = buffer.subarray(headEnd + 4);
  const field = /^content-disposition:.*?[;\s]name="?([^";\r\n]*)"?/im.exec(head)?.[1];
  if (field !== "file") {
    await reader.cancel().catch(() => {});
    throw new Fault(
      "invalid_request",
      `The form has a field "${field ?? ""}"; it should have the one field "file", and parameters in the query`,
    );
  }

  const content = new ReadableStream<Uint8Array>({
    async pull(controller) {
      for (;;) {
        const at = indexOf(buffer, delimiter);
        if (at >= 0) {
          if (at > 0) controller.enqueue(buffer.slice(0, at));
          buffer = buffer.subarray(at + delimiter.length);
          await readEnd();
          return controller.close();
        }
        // What may be the beginning of the boundary waits for the next bytes.
        const sure = buffer.length - delimiter.length + 1;
        if (sure > 0) {
          controller.enqueue(buffer.slice(0, sure));
          buffer = buffer.slice(sure);
          return;
        }
        await more();
      }
    },
    async cancel() {
      await reader.cancel().catch(() => {});
    },
  }, { highWaterMark: 0 });

  async function readEnd(): Promise<void> {
    while (buffer.length < 2) await more();
    if (buffer[0] !== 0x2d || buffer[1] !== 0x2d) {
      throw new Fault("invalid_request", `The form continues after its file; it should have the one field "file"`);
    }
  }

  return {
    name: /^content-disposition:.*?[;\s]filename="((?:[^"\\\r\n]|\\.)*)"/im.exec(head)?.[1]?.replace(/\\(.)/g, "$1") ??
      null,
    contentType: /^content-type:\s*([^\s;]+)/im.exec(head)?.[1]?.toLowerCase() ?? null,
    content,
  };
}

/** The boundary that a form's content type names; null when it is no form, or names none. */
export function boundaryOf(contentType: string): string | null {
  if (!/^multipart\//i.test(contentType)) return null;
  const found = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType);
  return found === null ? null : (found[1] ?? found[2])!;
}

/** Where `sought` begins in `bytes` at or after `from`; -1 where it does not. */
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
