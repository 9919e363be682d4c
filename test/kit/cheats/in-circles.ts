/** Follows whatever page comes next. */
import honest, { pageOf } from "./honest.ts";

export default {
  ...honest,
  name: "in-circles",
  async *fetch({ fetch, settings }: Parameters<typeof honest.fetch>[0]) {
    for (let after: number | null = 0; after !== null;) {
      const { people, next } = await pageOf(await fetch(`https://${settings.host}/people?after=${after}`));
      yield { origin: null, records: people };
      after = next;
    }
  },
};
