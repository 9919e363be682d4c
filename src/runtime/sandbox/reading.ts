/** Reads bodies for a child by the hub's own readers, page by page. */
import type { FetchContext, FetchedRows } from "../../connector.ts";
import type { Meanwhile } from "./call-clock.ts";
import type { Answers } from "./calls.ts";
import { ConnectorFault } from "./faults.ts";
import type { FeedAsk, ReadAsk } from "./protocol.ts";

interface Reader {
  readonly pages: AsyncGenerator<FetchedRows, void>;
  /** Takes a body that the child feeds; null: the hub has the body. */
  readonly writer: WritableStreamDefaultWriter<Uint8Array> | null;
}

/** What is encrypted is held in memory. */
const MAX_OPEN = 8;

/** `take`: a body of a response that the hub has. */
export function createReading(
  { read }: Pick<FetchContext<never>, "read">,
  take: (body: number) => ReadableStream<Uint8Array> | null,
): { readonly answers: Pick<Answers, "read" | "feed" | "page">; close(): Promise<void> } {
  const readers = new Map<number, Reader>();
  let opened = 0;
  const readerOf = (id: number): Reader => {
    const found = readers.get(id);
    if (found === undefined) throw new ConnectorFault("reads a body that is not open");
    return found;
  };
  return {
    answers: {
      read({ body, contentType, name }: ReadAsk): number {
        if (readers.size >= MAX_OPEN) throw new ConnectorFault(`reads ${MAX_OPEN} bodies at once`);
        const own = body === null ? null : take(body);
        const fed = own === null ? new TransformStream<Uint8Array, Uint8Array>() : null;
        const as = {
          contentType: typeof contentType === "string" ? contentType : undefined,
          name: typeof name === "string" ? name : undefined,
        };
        readers.set(++opened, { pages: read(own ?? fed!.readable, as), writer: fed?.writable.getWriter() ?? null });
        return opened;
      },
      async feed({ reader, base64 }: FeedAsk): Promise<null> {
        const { writer } = readerOf(reader);
        if (base64 === null) await writer?.close();
        else await writer?.write(Buffer.from(String(base64), "base64"));
        return null;
      },
      async page({ reader }: { reader: number }, meanwhile: Meanwhile): Promise<FetchedRows | null> {
        const { pages, writer } = readerOf(reader);
        // A body that the connector feeds takes the connector's own time.
        const next = writer === null ? await meanwhile(() => pages.next()) : await pages.next();
        if (!next.done) return next.value;
        readers.delete(reader);
        return null;
      },
    },
    async close() {
      const all = [...readers.values()];
      readers.clear();
      await Promise.all(all.map(async ({ pages, writer }) => {
        await writer?.abort().catch(() => {});
        // One that waits for its source ends with the request.
        void pages.return().catch(() => {});
      }));
    },
  };
}
