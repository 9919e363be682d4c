// deno-lint-ignore-file require-yield
/** Gives more than anybody wants. */
import { abuser, Deno, never, PEOPLE } from "./abuser.ts";

const encoder = new TextEncoder();
const MEBIBYTE = 1024 * 1024;

export default abuser("floods", {
  async *"lines of the log without end"({ log }) {
    for (;;) log("x");
  },
  async *"lines of the log past its context"() {
    const line = encoder.encode('{"log":"x","of":1}\n');
    for (;;) Deno.stdout.writeSync(line);
  },
  async *"standard error without end"() {
    const line = encoder.encode(`${"x".repeat(1000)}\n`);
    for (;;) Deno.stderr.writeSync(line);
  },
  async *"standard output without end"() {
    const line = encoder.encode(`${"x".repeat(1000)}\n`);
    for (;;) Deno.stdout.writeSync(line);
  },
  async *"rows without end"() {
    for (let id = 0;;) {
      const records = Array.from({ length: 500 }, () => ({ id: String(++id), mail: `n${id}@acme.test`, first: "Ana" }));
      yield { origin: null, records };
    }
  },
  async *"a huge row"() {
    yield { origin: "all", records: [...PEOPLE, { id: "4", mail: "di@acme.test", first: "x".repeat(2 * MEBIBYTE) }] };
  },
  async *"a huge page"() {
    yield { origin: "all", records: Array.from({ length: 400 }, (_, id) => ({ id, first: "x".repeat(MEBIBYTE / 8) })) };
  },
  async *"a hundred thousand tiny messages"() {
    for (let id = 0; id < 100_000; id++) Deno.stdout.writeSync(encoder.encode(`{"value":${id + 1000}}\n`));
    await never();
  },
  async *"a hundred thousand requests at once"({ fetch, settings }) {
    await Promise.all(Array.from({ length: 100_000 }, (_, n) => fetch(`http://${settings.host}/people?n=${n}`)));
  },
  async *"a hundred thousand warnings"({ warn }) {
    const warning = { code: "source_changed", field: null, message: "x", suggestion: "y" } as const;
    for (let n = 0; n < 100_000; n++) warn(warning);
    await never();
  },
});
