/** A file's bytes as a stream, in large pieces. */
import { open } from "node:fs/promises";

const PIECE_BYTES = 1024 * 1024;

export async function openFile(path: string): Promise<{ bytes: number; stream: ReadableStream<Uint8Array> }> {
  const file = await open(path, "r");
  const stat = await file.stat();
  if (!stat.isFile()) {
    await file.close();
    throw new Error("it is no file");
  }
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { bytesRead, buffer } = await file.read(new Uint8Array(PIECE_BYTES), 0, PIECE_BYTES, null);
      if (bytesRead > 0) return controller.enqueue(buffer.subarray(0, bytesRead));
      await file.close();
      controller.close();
    },
    cancel: () => file.close(),
  }, { highWaterMark: 0 });
  return { bytes: stat.size, stream };
}
