/** Leaves the key out where there is no title. */
import honest from "./honest.ts";

type Normalize = NonNullable<typeof honest.normalize>;

export default {
  ...honest,
  name: "drops-the-key",
  normalize(...[row, context]: Parameters<Normalize>) {
    const { source_id, ...rest } = honest.normalize!(row, context);
    return rest.title === undefined ? rest : { source_id, ...rest };
  },
};
