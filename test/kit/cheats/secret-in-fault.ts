/** Quotes the beginning of a key that the source repeats. */
import { SourceFault } from "../../../src/connector.ts";
import honest, { readAnswers } from "./honest.ts";

export default {
  ...honest,
  name: "secret-in-fault",
  fetch: (context: Parameters<typeof honest.fetch>[0]) =>
    readAnswers(context, async (answer) => {
      if (answer.status !== 401) return answer;
      const { message } = await answer.json() as { message: string };
      const key = message.slice("No such key: ".length).slice(0, 12);
      throw new SourceFault("credentials", `The source refuses the key ${key}…`);
    }),
};
