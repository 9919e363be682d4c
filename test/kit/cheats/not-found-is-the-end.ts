/** Takes 404 for the end of the list. */
import honest, { pageOf } from "./honest.ts";

export default {
  ...honest,
  name: "not-found-is-the-end",
  async *fetch({ fetch, settings }: Parameters<typeof honest.fetch>[0]) {
    for (let after: number | null = 0; after !== null;) {
      const answer = await fetch(`https://${settings.host}/people?after=${after}`);
      if (answer.status === 404) return;
      const { people, next } = await pageOf(answer);
      yield { origin: null, records: people };
      after = next;
    }
  },
};
