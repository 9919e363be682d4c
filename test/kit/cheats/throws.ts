/** Throws for a cell that is no text. */
import honest from "./honest.ts";

type Normalize = NonNullable<typeof honest.normalize>;

export default {
  ...honest,
  name: "throws",
  normalize(...[row, context]: Parameters<Normalize>) {
    const { email, ...rest } = honest.normalize!(row, context);
    return { ...rest, email: (email as string).trim() };
  },
};
