/** Tries a connector with all laws, each as a test of its own, in the child that a hub runs it in. */
import { basename } from "node:path";
import nodeTest from "node:test";
import type { Cases, Runner, Test, TestContext } from "./cases.ts";
import { LAWS } from "./laws.ts";
import { loadSubject, pathOf, type Subject } from "./subject.ts";

/**
 * `connector`: the module whose default export it is, as `new URL("./connector.ts", import.meta.url)`, or its path.
 * `runner`: what makes tests; `node:test` by default. For Deno: `{ test: Deno.test }`; for vitest: `{ test }`.
 */
export function testConnector(connector: string | URL, cases: Cases, runner: Runner = { test: nodeTest }): void {
  const name = basename(pathOf(connector)).replace(/\.[cm]?[jt]s$/, "");
  const test = testOf(runner);
  let loading: Promise<Subject> | undefined;
  for (const { name: law, applies = () => true, hold } of LAWS) {
    if (!applies(cases)) continue;
    test(`${name}: ${law}`, async (context: TestContext | undefined) => {
      const subject = await (loading ??= loadSubject(connector, cases));
      await hold(subject, (reason) => context?.skip?.(reason));
    });
  }
}

interface DenoTest {
  (test: {
    readonly name: string;
    readonly fn: () => Promise<void>;
    readonly sanitizeOps: false;
    readonly sanitizeResources: false;
  }): void;
}

/** The child lives from one test to the next, which Deno takes for a leak by default. */
function testOf({ test }: Runner): Test {
  const own = (globalThis as { Deno?: { test?: unknown } }).Deno?.test;
  if (test !== own) return test;
  return (name, run) =>
    (test as unknown as DenoTest)({
      name,
      fn: () => run(undefined),
      sanitizeOps: false,
      sanitizeResources: false,
    });
}
