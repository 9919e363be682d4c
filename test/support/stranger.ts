/** Connectors of strangers, as code, and the children that they run in. */
import assert from "node:assert/strict";
import { findDeno } from "../../src/runtime/sandbox/deno-program.ts";
import { type Child, type ChildOptions, startChild } from "../../src/runtime/sandbox/child.ts";
import type { Answers } from "../../src/runtime/sandbox/calls.ts";

/** The code of a connector that has `rest` beside what each needs; `before` comes first in the module. */
export function connectorCode(rest: string, before = ""): string {
  return `${before}
export default {
  api: 1, name: "stranger", version: "1.0.0", title: "Stranger", coverage: { users: "full" }, input: "fetch", mapping: {},
  settings: { "~standard": { version: 1, vendor: "own", validate: (value) => ({ value }) } },
  hosts: () => ["api.example.com"],
  ${rest}
};`;
}

/** Code whose `fetch` has this body. */
export const fetching = (body: string, before = ""): string =>
  connectorCode(`async *fetch(context) { ${body} },`, before);

export async function withChild<T>(
  code: string,
  use: (child: Child) => Promise<T>,
  options: Partial<ChildOptions> = {},
): Promise<T> {
  const deno = findDeno();
  assert.ok(deno !== null);
  const child = await startChild({ deno, code, ...options });
  try {
    return await use(child);
  } finally {
    await child.end();
  }
}

/** All pages of a fetch, and what it returned. */
export async function fetchAll(child: Child, answers: Answers = {}): Promise<{ pages: unknown[]; returned: unknown }> {
  const pages: unknown[] = [];
  const each = child.pages({ entity: "users", settings: {}, checkpoint: { resume: null, last: null } }, { answers });
  for (;;) {
    const { done, value } = await each.next();
    if (done) return { pages, returned: value };
    pages.push(value);
  }
}
