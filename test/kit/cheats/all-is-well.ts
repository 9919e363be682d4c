/** Finds every source well. */
import honest from "./honest.ts";

export default {
  ...honest,
  name: "all-is-well",
  check: () => Promise.resolve({ ok: true, detail: "All is well", found: {} }),
};
