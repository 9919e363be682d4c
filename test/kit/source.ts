/** The source of the connectors in cheats/, and what is expected of it. */
import type { Cases } from "../../src/kit/laws/cases.ts";

const KEY = "key-of-acme-0123456789";

/** With so many people, in pages of five, or of 500. */
export function sourceOf(count: number, pageSize = 5): (request: Request) => Response {
  const people = Array.from({ length: count }, (_, i) => ({
    id: String(i + 1),
    mail: `Person.${i + 1}@acme.test`,
    first: `Firstname${i + 1}`,
    last: `Lastname${i + 1}`,
    ...(i % 3 === 0 ? {} : { job: `Engineer ${i + 1}` }),
  }));
  return (request) => {
    if (request.headers.get("authorization") !== `Bearer ${KEY}`) return Response.json({}, { status: 401 });
    const after = Number(new URL(request.url).searchParams.get("after"));
    const end = after + pageSize;
    return Response.json({ people: people.slice(after, end), next: end < count ? end : null, total: count });
  };
}

const COUNT = 17;

export const CASES: Cases = {
  settings: { host: "api.example.com" },
  refused: [{ settings: { host: 5 }, at: "/host" }, { settings: {}, at: "/host" }],
  secrets: { api_key: KEY },
  source: sourceOf(COUNT),
  records: Array.from({ length: COUNT }, (_, i) => ({
    source_id: String(i + 1),
    email: `person.${i + 1}@acme.test`,
    first_name: `Firstname${i + 1}`,
    last_name: `Lastname${i + 1}`,
    ...(i % 3 === 0 ? {} : { title: `Engineer ${i + 1}` }),
  })),
  changed: {
    source: sourceOf(1),
    records: [{ source_id: "1", email: "person.1@acme.test", first_name: "Firstname1", last_name: "Lastname1" }],
  },
  upgrade: [
    { from: { version: "0.1.0", value: { server: "api.example.com" } }, to: { host: "api.example.com" } },
    {
      from: { version: "0.2.0", value: { server: "api.example.com", department: "" } },
      to: { host: "api.example.com", department: "" },
      state: { cursor: COUNT },
    },
  ],
  scale: (people) => sourceOf(people, 500),
};
