/** Streams of what generators yield. Each reads nothing before it is asked, and ends its generator when it is cancelled. */

export function streamOf(
  pieces: Generator<Uint8Array, void> | AsyncGenerator<Uint8Array, void>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await pieces.return();
    },
  }, { highWaterMark: 0 });
}

const CHUNK_CHARACTERS = 64 * 1024;

/** Text in UTF-8, in chunks of about 64 KiB. */
export function streamText(text: AsyncGenerator<string, void>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      let chunk = "";
      while (chunk.length < CHUNK_CHARACTERS) {
        const { done, value } = await text.next();
        if (done) {
          if (chunk !== "") controller.enqueue(encoder.encode(chunk));
          return controller.close();
        }
        chunk += value;
      }
      controller.enqueue(encoder.encode(chunk));
    },
    async cancel() {
      await text.return();
    },
  });
}
