/** Goes on after a person's mail. */
import honest, { readTrusting } from "./honest.ts";

export default {
  ...honest,
  name: "person-in-checkpoint",
  fetch: (context: Parameters<typeof honest.fetch>[0]) =>
    readTrusting(context, (after, people) => ({ after, mail: String(people.at(-1)?.mail).toLowerCase() })),
};
