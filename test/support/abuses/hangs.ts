// deno-lint-ignore-file require-yield
/** Waits for what never comes. */
import { abuser, never } from "./abuser.ts";

export default abuser("hangs", {
  async *hangs() {
    await never();
  },
});
