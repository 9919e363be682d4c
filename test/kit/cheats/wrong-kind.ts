/** Says of a refused key that the connection failed. */
import { SourceFault } from "../../../src/connector.ts";
import honest from "./honest.ts";

export default {
  ...honest,
  name: "wrong-kind",
  async *fetch(context: Parameters<typeof honest.fetch>[0]) {
    const { fetch } = context;
    yield* honest.fetch({
      ...context,
      async fetch(url, request) {
        const answer = await fetch(url, request);
        if (answer.status === 401) throw new SourceFault("connection", "The source does not answer now (401)");
        return answer;
      },
    });
  },
};
