/** Gives nothing once there was a read before. */
import honest from "./honest.ts";

export default {
  ...honest,
  name: "nothing-after-last",
  async *fetch(context: Parameters<typeof honest.fetch>[0]) {
    if (context.checkpoint.last !== null) return;
    yield* honest.fetch(context);
  },
};
