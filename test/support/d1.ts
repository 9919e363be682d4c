/** A D1 binding over a database of this process, as far as the store uses one. What is too much for D1 fails. */
import assert from "node:assert/strict";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { createD1Database } from "../../src/store/d1.ts";

const MAX_PARAMETERS = 100, MAX_STATEMENT_BYTES = 100_000, MAX_VALUE_BYTES = 2_000_000;

export function fakeD1(database: DatabaseSync): Parameters<typeof createD1Database>[0] {
  const prepare = (text: string, values: unknown[] = []) => {
    assert.ok(values.length <= MAX_PARAMETERS, `${values.length} parameters`);
    assert.ok(text.length <= MAX_STATEMENT_BYTES, `a statement of ${text.length}`);
    for (const value of values) {
      const length = typeof value === "string" ? value.length : (value as Uint8Array | null)?.byteLength ?? 0;
      assert.ok(length <= MAX_VALUE_BYTES, `a value of ${length}`);
    }
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
