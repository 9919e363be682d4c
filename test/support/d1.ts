/** A D1 binding over a database of libSQL, as far as the store uses one. */
import type { Client } from "@libsql/client";
import type { createD1Database } from "../../src/store/d1.ts";

export function fakeD1(client: Client): Parameters<typeof createD1Database>[0] {
  const toResult = ({ rows, columns }: Awaited<ReturnType<Client["execute"]>>) => ({
    success: true,
    results: rows.map((row) => Object.fromEntries(columns.map((column) => [column, row[column]]))),
  });
  const prepare = (text: string, args: unknown[] = []) => ({
    text,
    args,
    bind: (...values: unknown[]) => prepare(text, values),
    run: async () => toResult(await client.execute({ sql: text, args: args as never })),
    all: async () => toResult(await client.execute({ sql: text, args: args as never })),
    raw: async () => (await client.execute({ sql: text, args: args as never })).rows.map((row) => Array.from(row)),
  });
  return {
    prepare: (text: string) => prepare(text),
    batch: async (items: ReturnType<typeof prepare>[]) =>
      (await client.batch(items.map((item) => ({ sql: item.text, args: item.args as never })), "write")).map(toResult),
  } as never;
}
