// deno-lint-ignore-file require-yield
/** Ends its process, by mistake or on purpose. */
import process from "node:process";
import { abuser, Deno, never } from "./abuser.ts";

export default abuser("ends", {
  async *"a throw in a timer"() {
    setTimeout(() => {
      throw new TypeError("Ana Lund");
    });
    await never();
  },
  async *"a promise that nobody catches"() {
    void Promise.reject(new RangeError("Ana Lund"));
    await never();
  },
  async *"an exit"() {
    Deno.exit(0);
  },
  async *"an exit as in Node"() {
    process.exit(0);
  },
}, {
  normalize(row, { settings }) {
    if (settings.does === "an exit in normalize") Deno.exit(0);
    return { source_id: String(row.cells[0]) };
  },
});
