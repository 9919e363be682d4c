// deno-lint-ignore-file require-yield
/** Takes memory without end: objects, which are V8's, and buffers, which are not. */
import { abuser } from "./abuser.ts";

function objects(): never {
  const all: object[] = [];
  for (;;) all.push({ n: all.length });
}

export default abuser("memory", {
  async *objects() {
    objects();
  },
  async *buffers() {
    const all: Uint8Array[] = [];
    for (;;) all.push(new Uint8Array(16 * 1024 * 1024).fill(1));
  },
}, {
  normalize: (row, { settings }) =>
    settings.does === "objects in normalize" ? objects() : { source_id: String(row.cells[0]) },
});
