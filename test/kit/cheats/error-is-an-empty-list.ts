/** Takes an error in an answer of status 200 for an empty list. */
import { expectOk, type FetchedRecord } from "../../../src/connector.ts";
import honest from "./honest.ts";

export default {
  ...honest,
  name: "error-is-an-empty-list",
  async *fetch({ fetch, settings }: Parameters<typeof honest.fetch>[0]) {
    for (let after: number | null = 0; after !== null;) {
      const answer = expectOk(await fetch(`https://${settings.host}/people?after=${after}`), "people");
      const page: { people?: FetchedRecord[]; next?: number | null } | null = await answer.json();
      yield { origin: null, records: page?.people ?? [] };
      after = page?.next ?? null;
    }
  },
};
