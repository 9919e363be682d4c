/** What connectors that do harm have in common: they are written as strangers write them, and import nothing of Muster's. */
import type { Connector, FetchContext, FetchedRows } from "../../../src/connector.ts";
import type { Fields, Row, SourceRecord } from "../../../src/model/record.ts";

export interface Settings {
  /** Of the source. */
  readonly host: string;
  /** Which harm. */
  readonly does: string;
}

/** What a child has of Deno, as far as abuses use it. */
interface DenoHere {
  exit(code: number): never;
  readTextFileSync(path: string): string;
  readonly env: { toObject(): Record<string, string> };
  readonly stdout: { writeSync(bytes: Uint8Array): number };
  readonly stderr: { writeSync(bytes: Uint8Array): number };
}

export const { Deno } = globalThis as unknown as { readonly Deno: DenoHere };

export const PEOPLE: readonly Record<string, string>[] = ["Ana", "Bo", "Cy"].map((first, i) => ({
  id: String(i + 1),
  mail: `${first.toLowerCase()}@acme.test`,
  first,
  last: "Lund",
}));

type Harm = (context: FetchContext<Settings>) => AsyncGenerator<FetchedRows, void>;

/** `harms`: what its fetch does, by the setting `does`; three people come where there is none for it. */
export function abuser(
  name: string,
  harms: Readonly<Record<string, Harm>>,
  rest: Partial<Connector<Settings>> = {},
): Connector<Settings> {
  const properties = {
    host: { type: "string", examples: ["127.0.0.1:1"] },
    does: { type: "string", examples: ["no harm"] },
  };
  return {
    api: 1,
    name,
    version: "1.0.0",
    title: name,
    input: "fetch",
    coverage: { users: "full" },
    key: "source_id",
    mapping: { id: "source_id", mail: "email", first: "first_name", last: "last_name" },
    settings: { "~standard": { version: 1, vendor: "own", validate } },
    settingsJsonSchema: { type: "object", properties, required: ["host", "does"] },
    secrets: { key: { title: "Key" } },
    auth: () => ({ kind: "bearer", token: { secret: "key" } }),
    hosts: ({ host }) => [host],
    async *fetch(context) {
      const harm = harms[context.settings.does];
      if (harm !== undefined) yield* harm(context);
      else yield { origin: "all", records: PEOPLE };
    },
    ...rest,
  };
}

export function validate(value: unknown) {
  const { host, does } = (value ?? {}) as Partial<Settings>;
  if (typeof host === "string" && typeof does === "string") return { value: { host, does } };
  return { issues: [{ message: "should be there", path: [typeof host === "string" ? "does" : "host"] }] };
}

/** By the mapping alone. */
export function recordOf(row: Row, fields: Fields): SourceRecord {
  return Object.fromEntries(fields.flatMap((field, i) => field ? [[field, row.cells[i]!]] : []));
}

export const never = (): Promise<never> => new Promise(() => {});

export function loop(): never {
  for (;;);
}
