/** Quotes the beginning of a key that the source repeats. */
import { SourceFault } from "../../../src/connector.ts";
import honest from "./honest.ts";

export default {
  ...honest,
  name: "secret-in-fault",
  async *fetch(context: Parameters<typeof honest.fetch>[0]) {
    const { fetch } = context;
    yield* honest.fetch({
      ...context,
      async fetch(url, request) {
        const answer = await fetch(url, request);
        if (answer.status !== 401) return answer;
        const { message } = await answer.json() as { message: string };
        throw new SourceFault(
          "credentials",
          `The source refuses the key ${message.slice("No such key: ".length).slice(0, 12)}…`,
        );
      },
    });
  },
};
