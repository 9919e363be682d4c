/** A file's bytes as a stream that fills the reader's own buffers. */
import { readSync } from "node:fs";
import { open } from "node:fs/promises";

/** Buffer size for readers without a buffer of their own. */
const PIECE_BYTES = 64 * 1024;

/** `onRead` is called with the number of bytes that have been read so far. */
export async function openFile(
  path: string,
  onRead: (bytes: number) => void = () => {},
): Promise<{ bytes: number; stream: ReadableStream<Uint8Array> }> {
  const file = await open(path, "r");
  const stat = await file.stat();
  if (!stat.isFile()) {
    await file.close();
    throw new Error("it is not a file");
  }
  let done = 0;
  const stream = new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: PIECE_BYTES,
    async pull(controller) {
      const request = controller.byobRequest!;
      const view = request.view as Uint8Array;
      // A command may block, and an asynchronous read takes longer because it uses another thread.
      const bytesRead = readSync(file.fd, view);
      if (bytesRead === 0) {
        await file.close();
        controller.close();
      }
      onRead(done += bytesRead);
      request.respond(bytesRead);
    },
    cancel: () => file.close(),
  });
  return { bytes: stat.size, stream };
}
