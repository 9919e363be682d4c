/** A file's bytes as a stream that fills the buffers of whoever reads it. */
import { readSync } from "node:fs";
import { open } from "node:fs/promises";

/** For readers that bring no buffer of their own. */
const PIECE_BYTES = 64 * 1024;

/** `onRead` is told how many bytes have been read so far. */
export async function openFile(
  path: string,
  onRead: (bytes: number) => void = () => {},
): Promise<{ bytes: number; stream: ReadableStream<Uint8Array> }> {
  const file = await open(path, "r");
  const stat = await file.stat();
  if (!stat.isFile()) {
    await file.close();
    throw new Error("it is no file");
  }
  let done = 0;
  const stream = new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: PIECE_BYTES,
    async pull(controller) {
      const request = controller.byobRequest!;
      const view = request.view as Uint8Array;
      // A command has nobody to answer meanwhile, and the way through another thread takes longer than the read.
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
