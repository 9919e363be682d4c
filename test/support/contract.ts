/**
 * What every connector keeps to, as tests: call `testConnector` with yours from a test file of your own, and run it.
 *
 * Nothing is asked but the source that the example names, through a gate of your own; there is no hub and no database.
 */
import assert from "node:assert/strict";
import test from "node:test";
import type { Connector, FetchContext, FetchedRows } from "../../src/connector.ts";
import { connectorFaults } from "../../src/runtime/connector-faults.ts";
import { checkSettings, parseSettings, settingsSchemaOf } from "../../src/runs/settings.ts";
import { authHeaders, authOf, requiredSecrets } from "../../src/sources/auth.ts";
import { createSourceFetch } from "../../src/sources/source-fetch.ts";
import type { Outbound, OutboundRequest } from "../../src/security/outbound.ts";
import { type Cell, type Fields, type RowBlock, USER_FIELDS } from "../../src/model/record.ts";

export interface Example {
  /** Settings that the source can be reached with. */
  readonly settings: object;
  readonly secrets?: Readonly<Record<string, string>>;
  /** For a connector that fetches: a way to a source that stands still, and how many records it has. */
  readonly source?: {
    readonly outbound: Outbound;
    readonly records: number;
    /** Whether the read may do without the answer to this URL. */
    readonly optional?: (url: string) => boolean;
  };
  /** Columns that rows of the source have; those of its mapping unless said. */
  readonly columns?: readonly string[];
}

const TODAY = "2026-03-02";

const ODD: readonly Cell[] = [
  undefined,
  null,
  "",
  " ",
  "x".repeat(10_000),
  "\u0000",
  "0000-00-00",
  "'000123",
  0,
  -1.5,
  true,
  {},
  [],
  [null],
];

export function testConnector<Settings>(given: Connector<Settings>, example: Example): void {
  const connector = given as Connector<never>;
  const secrets = example.secrets ?? {};
  const settings = () => parseSettings(connector, example.settings as Record<string, unknown>);
  const { name, mapping = {}, input } = connector;

  test(`${name}: the hub would take it`, async () => {
    assert.deepEqual(await connectorFaults(connector), []);
  });

  test(`${name}: its settings are published, take the example, and refuse a name that they do not know`, () => {
    settingsSchemaOf(connector);
    settings();
    assert.ok("issues" in checkSettings(connector, { ...example.settings, "no such setting": 1 }));
  });

  test(`${name}: its credentials are secrets that it names, in a way that it lists`, () => {
    const declared = Object.keys(connector.secrets ?? {});
    const auth = authOf(connector, settings());
    assert.ok((connector.authKinds ?? ["none"]).includes(auth.kind), `"${auth.kind}" is not among its authKinds`);
    for (const needed of requiredSecrets(connector, settings())) {
      assert.ok(declared.includes(needed), `the secret "${needed}" is not declared`);
      assert.ok(Object.hasOwn(secrets, needed), `the example lacks the secret "${needed}"`);
    }
  });

  test(`${name}: its hosts are hosts, and the same for the same settings`, () => {
    const hosts = connector.hosts?.(settings()) ?? [];
    for (const host of hosts) {
      // A port of https is none that a URL shows.
      assert.ok(
        [`https://${host}`, `http://${host}`].some((url) => URL.canParse(url) && new URL(url).host === host),
        host,
      );
    }
    assert.deepEqual(connector.hosts?.(settings()) ?? [], hosts);
  });

  const named = `${name}: normalizing a row never throws, changes nothing, and says the same again`;
  test(named, { skip: connector.normalize === undefined }, () => {
    const columns = example.columns ?? (Object.keys(mapping).length > 0 ? Object.keys(mapping) : [...USER_FIELDS]);
    const fields: Fields = columns.map((column) => mapping[column] ?? column);
    for (const odd of ODD) {
      const row = { line: 1, origin: null, columns, cells: columns.map(() => odd) };
      const before = JSON.stringify(row);
      const context = { fields, customFields: [], today: TODAY, settings: settings() };
      const record = connector.normalize!(row, context);
      assert.equal(JSON.stringify(row), before);
      assert.deepEqual(connector.normalize!(row, context), record);
      for (const field of Object.keys(record)) {
        assert.ok(
          fields.includes(field) || (USER_FIELDS as readonly string[]).includes(field),
          `"${field}" is no field`,
        );
      }
    }
  });

  if (input === "drop" || example.source === undefined) return;
  const { outbound, records, optional = () => false } = example.source;

  test(`${name}: it reads all of its source, and the same again`, async () => {
    const first = await read();
    assert.equal(first.records.length, records);
    assert.deepEqual((await read()).records, first.records);
    const said = JSON.stringify([first.records, first.origins, first.lines]);
    for (const secret of Object.values(secrets)) assert.ok(!said.includes(secret), "a secret is in what it says");
  });

  test(`${name}: a read that breaks off anywhere throws, instead of passing for a whole one`, async () => {
    const { requests } = await read();
    for (let from = 1; from <= requests; from++) {
      for (const status of [503, 401, null]) {
        const broken = gate((n, ask) => n < from ? ask() : failing(status));
        await assert.rejects(read(broken), `request ${from} of ${requests} was answered with ${status}`);
      }
    }
  });

  test(`${name}: what passes changes nothing of what is read`, async () => {
    const { records } = await read();
    const shaky = gate((n, ask) => n % 2 === 1 ? failing(n % 4 === 1 ? 503 : null) : ask());
    assert.deepEqual((await read(shaky)).records, records);
  });

  test(`${name}: it stops when it is told to`, async () => {
    const stop = new AbortController();
    stop.abort(new Error("stopped"));
    await assert.rejects(read(outbound, stop.signal));
  });

  if (connector.check === undefined) return;
  test(`${name}: a check finds the source well, and says so when it is not`, async () => {
    const found = await connector.check!(contextFor(outbound).context);
    assert.equal(found.ok, true, found.detail);
    assert.match(found.detail, /\S/);
    assert.ok(JSON.stringify(found.found).length < 64 * 1024);
    const down = contextFor(gate(() => failing(503)));
    const answered = await connector.check!(down.context).then(({ ok }) => ok, () => false);
    assert.equal(answered, false);
  });

  /** The same source with something in between; `n` counts requests from 1. */
  function gate(between: (n: number, ask: () => ReturnType<Outbound>) => ReturnType<Outbound>): Outbound {
    let n = 0;
    const call = (url: string, request: OutboundRequest) =>
      optional(url) ? outbound(url, request) : between(++n, () => outbound(url, request));
    return Object.assign(call, { refusal: outbound.refusal });
  }

  function contextFor(through: Outbound, signal = new AbortController().signal) {
    const lines: string[] = [];
    const counted = { requests: 0 };
    const headers = authHeaders(authOf(connector, settings()), settings(), secrets);
    const fetch = createSourceFetch({
      outbound: Object.assign((url: string, request: OutboundRequest) => {
        if (!optional(url)) counted.requests++;
        return through(url, request);
      }, { refusal: through.refusal }),
      hosts: (connector.hosts?.(settings()) ?? []).map((host) => host.toLowerCase()),
      authorize: (anew) => Promise.resolve(anew ? null : headers),
      signal,
      now: Date.now,
      wait: () => Promise.resolve(),
    });
    const context = {
      settings: settings(),
      mapping,
      onlyStatuses: null,
      today: TODAY,
      fetch,
      signal,
      log: (line: string) => void lines.push(line),
    };
    return { context, lines, counted };
  }

  async function read(through = outbound, signal?: AbortSignal) {
    const { context, lines, counted } = contextFor(through, signal);
    const records: unknown[] = [];
    const origins = new Set<string | null>();
    const whole: FetchContext<never> = {
      ...context,
      entity: "users",
      drop: null,
      readDrop: () => {
        throw new Error("There is no drop");
      },
      checkpoint: { resume: null, last: null, save: (state) => Promise.resolve(void JSON.stringify(state)) },
      startOver: () => Promise.resolve(void (records.length = 0)),
      expectTotal: () => {},
      read: () => {
        throw new Error("The kit has no readers");
      },
      warn: () => {},
    };
    for await (const rows of connector.fetch(whole)) {
      if ("records" in rows) {
        records.push(...JSON.parse(JSON.stringify((rows as FetchedRows).records)));
        origins.add(rows.origin);
      } else records.push(...recordsOf(rows));
    }
    return { records, origins: [...origins], lines, requests: counted.requests };
  }
}

function recordsOf(block: RowBlock): object[] {
  const rows = block.rows(Array.from({ length: block.count }, (_, index) => index));
  return rows.map(({ columns, cells }) => Object.fromEntries(columns.map((column, i) => [column, cells[i]])));
}

function failing(status: number | null): ReturnType<Outbound> {
  if (status === null) return Promise.reject(new Error("The connection broke off"));
  return Promise.resolve({ status, headers: new Headers(), body: new Blob([]).stream() });
}
