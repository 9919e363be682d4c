/** Goes on one page after its checkpoint. */
import honest, { readTrusting } from "./honest.ts";

export default {
  ...honest,
  name: "resumes-too-late",
  fetch: (context: Parameters<typeof honest.fetch>[0]) => readTrusting(context, (after) => ({ after: after + 5 })),
};
