/** A database on a libSQL server, over HTTP. No native code is loaded. */
import { type Client, createClient, type InValue } from "@libsql/client/http";
import type { Engine } from "../store/engine.ts";

export function openServer(url: string, authToken: string | null): { engine: Engine; close(): void } {
  const client = createServerClient(url, authToken);
  return {
    engine: {
      all: async ({ text, values }) => rowsOf(await client.execute({ sql: text, args: values as InValue[] })),
      async batch(queries) {
        const statements = queries.map(({ text, values }) => ({ sql: text, args: values as InValue[] }));
        return (await client.batch(statements, "write")).map(rowsOf);
      },
    },
    close: () => client.close(),
  };
}

/** Runs `work` in one transaction, which blocks other writers. */
export async function writeOnServer(
  url: string,
  authToken: string | null,
  work: (run: (text: string, values?: unknown[]) => Promise<unknown[][]>) => Promise<void>,
): Promise<void> {
  const client = createServerClient(url, authToken);
  try {
    const transaction = await client.transaction("write");
    try {
      await work(async (sql, args = []) => rowsOf(await transaction.execute({ sql, args: args as InValue[] })));
      await transaction.commit();
    } finally {
      transaction.close();
    }
  } finally {
    client.close();
  }
}

/** A server whose address is one for WebSockets also speaks HTTP there. */
function createServerClient(url: string, authToken: string | null): Client {
  return createClient({ url: url.replace(/^ws/, "http"), authToken: authToken ?? undefined });
}

/** libSQL's rows have indexes and a length, but are not arrays. */
function rowsOf({ rows }: { rows: ArrayLike<unknown>[] }): unknown[][] {
  return rows.map((row) => Array.from(row));
}
