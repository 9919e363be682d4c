/** Gives everybody a title. */
import honest from "./honest.ts";

type Normalize = NonNullable<typeof honest.normalize>;

export default {
  ...honest,
  name: "invents",
  normalize: (...[row, context]: Parameters<Normalize>) => ({ title: "Employee", ...honest.normalize!(row, context) }),
};
