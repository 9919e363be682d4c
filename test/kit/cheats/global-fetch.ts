/** Tries the network by itself, and hides that it failed. */
import honest from "./honest.ts";

export default {
  ...honest,
  name: "global-fetch",
  async *fetch(context: Parameters<typeof honest.fetch>[0]) {
    await fetch("https://elsewhere.example.com/").catch(() => {});
    yield* honest.fetch(context);
  },
};
