/** Asks a host that it does not name, and hides that it may not. */
import honest from "./honest.ts";

export default {
  ...honest,
  name: "other-host",
  async *fetch(context: Parameters<typeof honest.fetch>[0]) {
    await context.fetch("https://elsewhere.example.com/").catch(() => {});
    yield* honest.fetch(context);
  },
};
