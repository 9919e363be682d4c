/** Takes an answer that cannot be parsed for the end of the list. */
import honest, { type Page, pageOf } from "./honest.ts";

export default {
  ...honest,
  name: "cut-off-is-the-end",
  async *fetch({ fetch, settings }: Parameters<typeof honest.fetch>[0]) {
    for (let after: number | null = 0; after !== null;) {
      const answer = await fetch(`https://${settings.host}/people?after=${after}`);
      let page: Page;
      try {
        page = await pageOf(answer);
      } catch (error) {
        if (error instanceof SyntaxError) return;
        throw error;
      }
      yield { origin: null, records: page.people };
      after = page.next;
    }
  },
};
