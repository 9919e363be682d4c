/** A D1 binding over a database of this process, as far as the store uses one. */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { createD1Database } from "../../src/store/d1.ts";

export function fakeD1(database: DatabaseSync): Parameters<typeof createD1Database>[0] {
  const prepare = (text: string, values: unknown[] = []) => {
    const all = () => database.prepare(text).all(...values as SQLInputValue[]).map((row) => ({ ...row }));
    return {
      bind: (...bound: unknown[]) => prepare(text, bound),
      now: () => ({ success: true, results: all() }),
      run: () => Promise.resolve({ success: true, results: all() }),
      all: () => Promise.resolve({ success: true, results: all() }),
      raw: () => {
        const statement = database.prepare(text);
        statement.setReturnArrays(true);
        return Promise.resolve(statement.all(...values as SQLInputValue[]));
      },
    };
  };
  return {
    prepare: (text: string) => prepare(text),
    batch(items: ReturnType<typeof prepare>[]) {
      database.exec("begin immediate");
      try {
        const results = items.map((item) => item.now());
        database.exec("commit");
        return Promise.resolve(results);
      } catch (error) {
        database.exec("rollback");
        return Promise.reject(error);
      }
    },
  } as never;
}
