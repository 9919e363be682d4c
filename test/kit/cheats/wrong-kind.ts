/** Says of a refused key that the connection failed. */
import { SourceFault } from "../../../src/connector.ts";
import honest, { readAnswers } from "./honest.ts";

export default {
  ...honest,
  name: "wrong-kind",
  fetch: (context: Parameters<typeof honest.fetch>[0]) =>
    readAnswers(context, (answer) => {
      if (answer.status === 401) throw new SourceFault("connection", "The source does not answer now (401)");
      return answer;
    }),
};
