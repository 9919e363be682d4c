/** Goes on after a person's mail. */
import honest, { pageOf } from "./honest.ts";

export default {
  ...honest,
  name: "person-in-checkpoint",
  async *fetch({ fetch, settings, checkpoint }: Parameters<typeof honest.fetch>[0]) {
    let after = (checkpoint.resume as { after: number } | null)?.after ?? 0;
    for (;;) {
      const { people, next } = await pageOf(await fetch(`https://${settings.host}/people?after=${after}`));
      yield { origin: null, records: people };
      if (next === null) return;
      after = next;
      await checkpoint.save({ after, mail: String(people.at(-1)?.mail).toLowerCase() });
    }
  },
};
