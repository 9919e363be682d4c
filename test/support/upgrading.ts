/** A hub with the connection `hr`, pinned to version 1.0.0 of a connector of which 2.0.0 is installed too. */
import { sql } from "drizzle-orm";
import { z } from "zod";
import { type Connector, defineConnector } from "../../src/connector.ts";
import type { Installed, Registry } from "../../src/hub.ts";
import type { Row } from "../../src/model/record.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { type Importing, importing, type Outcome } from "./imports.ts";
import { loopback } from "./receiver.ts";

export type Rows = Readonly<Record<string, string>>[];

/** What the source gives, and what the connectors were given of checkpoints. */
export interface Feed {
  rows: Rows;
  readonly lasts: unknown[];
  /** Done while the source is read, before it gives its rows. */
  meanwhile: () => Promise<void>;
}

export interface Upgrading extends Importing {
  readonly feed: Feed;
  /** The installed versions by their digests: 1.0.0 is `d1`, 2.0.0 is `d2`. */
  readonly pinned: Map<string, Installed>;
  fetchNow(): Promise<Outcome>;
  /** POST to the connection's upgrade. */
  // deno-lint-ignore no-explicit-any
  upgrade(json: object, slug?: string): Promise<{ status: number; body: any }>;
  /** POST with `mode: plan`; carries its run and gives it. */
  plan(json?: object): Promise<Outcome>;
  // deno-lint-ignore no-explicit-any
  connection(slug?: string): Promise<any>;
}

/** Thirty people, of whom the titles of two are written in full by version 2.0.0. */
export const thirty = (): Rows =>
  Array.from({ length: 30 }, (_, i) => ({
    id: String(i + 1),
    mail: `p${i + 1}@acme.test`,
    first: "Ana",
    last: `Sol${i + 1}`,
    job: i === 3 || i === 7 ? "Eng." : "Lead",
  }));

const mapping = { id: "source_id", mail: "email", first: "first_name", last: "last_name", job: "title" };

function first(feed: Feed): Connector<never> {
  return defineConnector({
    api: 1,
    name: "written",
    version: "1.0.0",
    title: "Written by others",
    input: "fetch",
    coverage: { users: "full" },
    settings: z.strictObject({ host: z.string() }),
    secrets: { token: { title: "Token" } },
    auth: () => ({ kind: "bearer", token: { secret: "token" } }),
    hosts: ({ host }) => [host],
    mapping,
    key: "source_id",
    async *fetch({ checkpoint }) {
      feed.lasts.push(checkpoint.last);
      await feed.meanwhile();
      yield { origin: "all", records: feed.rows };
      await checkpoint.save({ since: 1 });
    },
  }) as unknown as Connector<never>;
}

function second(feed: Feed): Connector<never> {
  const connector: Connector<{ address: string }> = {
    ...first(feed) as unknown as Connector<{ address: string }>,
    version: "2.0.0",
    settings: z.strictObject({ address: z.string() }),
    secrets: { api_key: { title: "API key" } },
    auth: () => ({ kind: "bearer", token: { secret: "api_key" } }),
    hosts: ({ address }) => [address],
    normalize: (row: Row, { fields }) => {
      const record = Object.fromEntries(fields.flatMap((field, i) => field == null ? [] : [[field, row.cells[i]!]]));
      return { ...record, title: record.title === "Eng." ? "Engineer" : record.title! };
    },
    migrateSettings: ({ value }) => ({
      settings: { address: (value as { host: string }).host },
      secrets: { token: "api_key" },
    }),
    migrateState: ({ version, value }) => ({ ...value as object, from: version }),
  };
  return connector as unknown as Connector<never>;
}

/** `next` and `present`: replace parts of version 2.0.0, and of 1.0.0. */
export async function upgrading(
  work: (world: Upgrading) => Promise<void>,
  next: Partial<Connector<never>> = {},
  present: Partial<Connector<never>> = {},
): Promise<void> {
  const feed: Feed = { rows: thirty(), lasts: [], meanwhile: () => Promise.resolve() };
  const [one, two] = [{ ...first(feed), ...present }, { ...second(feed), ...next }];
  const pinned = new Map<string, Installed>([["d1", one], ["d2", two]]);
  const registry: Registry = Object.assign(new Map([...createRegistry(), ["written", two]]), {
    added: new Set(["written"]),
    pinned,
  });
  await importing(async (world) => {
    // As it was made when 1.0.0 was the newest version.
    (registry as Map<string, Installed>).set("written", one);
    await world.connect("hr", {
      connector: "written",
      schedule: null,
      settings: { host: "127.0.0.1:1" },
      secrets: { token: "a secret text" },
    });
    (registry as Map<string, Installed>).set("written", two);
    await pin(world, "hr");
    const read = async (path: string) => await (await world.ask(path)).json();
    const upgrade = (json: object, slug = "hr") => world.post(`/v1/connections/${slug}/upgrade`, json);
    await work({
      ...world,
      feed,
      pinned,
      upgrade,
      fetchNow: () => world.sync("hr"),
      async plan(json = {}) {
        const { status, body } = await upgrade({ mode: "plan", to: "2.0.0", ...json });
        if (status !== 202) throw new Error(JSON.stringify(body));
        await world.carry();
        return await world.run(body.run.id);
      },
      async connection(slug = "hr") {
        // The run that came last is no part of what an upgrade may change.
        const { last_run: _, ...connection } = await read(`/v1/connections/${slug}`);
        return connection;
      },
    });
  }, { registry, outbound: loopback });
}

/** Pins the connection to version 1.0.0. */
export async function pin({ hub }: Importing, slug: string): Promise<void> {
  await hub.db.write([
    hub.db.run(sql`update connections set connector_version = '1.0.0', connector_digest = 'd1' where slug = ${slug}`),
  ]);
}
