/** Puts 2 MB into each record. */
import honest from "./honest.ts";

export default {
  ...honest,
  name: "huge-records",
  async *fetch(context: Parameters<typeof honest.fetch>[0]) {
    for await (const page of honest.fetch(context)) {
      if (!("records" in page)) continue;
      yield { ...page, records: page.records.map((record) => ({ ...record, photo: "x".repeat(2_000_000) })) };
    }
  },
};
