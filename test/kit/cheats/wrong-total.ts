/** Expects as many people as it has just read, whatever the source says. */
import honest from "./honest.ts";

export default {
  ...honest,
  name: "wrong-total",
  async *fetch(context: Parameters<typeof honest.fetch>[0]) {
    yield* honest.fetch({ ...context, expectTotal: (count) => context.expectTotal(count + 1) });
  },
};
