/** A hub with the connection `hr`, whose connector is written by the test, as others write them. */
import { z } from "zod";
import { type Connector, defineConnector, type FetchContext } from "../../src/connector.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { type Importing, importing, type Outcome } from "./imports.ts";
import { loopback } from "./receiver.ts";

const BASE = defineConnector({
  api: 1,
  name: "written",
  version: "1.0.0",
  title: "Written by others",
  input: "fetch",
  coverage: { users: "full" },
  settings: z.object({ host: z.string().default("127.0.0.1:1"), auth: z.string().optional() }),
  mapping: { id: "source_id", mail: "email", first: "first_name", last: "last_name", job: "title" },
  key: "source_id",
  hosts: ({ host }) => [host],
  async *fetch() {},
});

export type Written = Partial<Connector<{ host: string; auth?: string | undefined }>>;

export interface Fetching extends Importing {
  /** Replaces parts of the connector from now on. */
  write(parts: Written): void;
  /** Fetches `hr` now; gives its runs, in the order in which they were queued. */
  fetchNow(): Promise<Outcome[]>;
}

export const PEOPLE: readonly Readonly<Record<string, string>>[] = [
  { id: "1", mail: "ana@acme.test", first: "Ana", last: "Sol", job: "Lead" },
  { id: "2", mail: "bo@acme.test", first: "Bo", last: "Lund", job: "Engineer" },
  { id: "3", mail: "cy@acme.test", first: "Cy", last: "Wang", job: "Engineer" },
];

/** `input`: of the connection. */
export async function fetching(
  parts: Written,
  work: (world: Fetching) => Promise<void>,
  input: Record<string, unknown> = {},
): Promise<void> {
  const registry = new Map([...createRegistry(), ["written", { ...BASE, ...parts } as unknown as Connector<never>]]);
  await importing(async (importing) => {
    await importing.connect("hr", { connector: "written", schedule: null, ...input });
    const world: Fetching = {
      ...importing,
      write: (more) => void registry.set("written", { ...registry.get("written"), ...more } as Connector<never>),
      async fetchNow() {
        const before = (await importing.runs()).length;
        await importing.post("/v1/connections/hr/runs");
        for (let left = 4; left > 0; left--) {
          await importing.fetch();
          await importing.carry();
        }
        const runs = (await importing.runs()).slice(before);
        return await Promise.all(runs.map(({ id }) => importing.run(id)));
      },
    };
    await work(world);
  }, { registry, outbound: loopback });
}

/** A fetch that gives these records. */
export function giving(records: readonly Readonly<Record<string, unknown>>[]) {
  return async function* (_: FetchContext<never>) {
    yield { origin: "all", records: records as Record<string, string>[] };
  };
}
