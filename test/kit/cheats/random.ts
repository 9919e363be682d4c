/** Says something else of a row each time. */
import honest from "./honest.ts";

type Normalize = NonNullable<typeof honest.normalize>;
let count = 0;

export default {
  ...honest,
  name: "random",
  normalize: (...[row, context]: Parameters<Normalize>) => ({
    ...honest.normalize!(row, context),
    title: `Number ${++count}`,
  }),
};
