/** Goes on one page after its checkpoint. */
import honest, { pageOf } from "./honest.ts";

export default {
  ...honest,
  name: "resumes-too-late",
  async *fetch({ fetch, settings, checkpoint }: Parameters<typeof honest.fetch>[0]) {
    let after = (checkpoint.resume as { after: number } | null)?.after ?? 0;
    for (;;) {
      const { people, next } = await pageOf(await fetch(`https://${settings.host}/people?after=${after}`));
      yield { origin: null, records: people };
      if (next === null) return;
      after = next;
      await checkpoint.save({ after: after + 5 });
    }
  },
};
