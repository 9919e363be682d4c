/** What a round plays with: organizations and their files, receivers of webhooks, a mail server and a source. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createMasterKeyText } from "../../src/security/secrets.ts";
import { createTokenText } from "../../src/security/token.ts";
import { startMailServer } from "../support/mail-server.ts";
import { startSource } from "../support/source.ts";
import { type Hubs, startHubs } from "./hubs.ts";
import { findPort, put, type SftpLogin } from "./sftp.ts";
import { createSeries, type PeopleFile, type Series } from "./people.ts";
import { type Listener, startListener } from "./listener.ts";

export interface Organization {
  readonly slug: string;
  readonly series: Series;
  readonly files: PeopleFile[];
  /** Its files come over SFTP, the same one perhaps twice; null: they come by API. */
  readonly sftp: SftpLogin | null;
}

export interface World {
  readonly hubs: Hubs;
  readonly organizations: readonly Organization[];
  readonly listeners: readonly Listener[];
  /** Where the database is, as its server or the hubs have it. */
  readonly file: string;
  /** Hands over the next file of this organization. */
  post(organization: Organization): Promise<void>;
  /** Asks in the name of an organization. */
  ask(organization: Organization, path: string): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

export interface Shape {
  readonly organizations: number;
  readonly people: number;
  readonly endpoints: number;
  /** What each hub's clock is ahead, in seconds. */
  readonly clocks: readonly number[];
  /** Serves a database file; null: the hubs open it themselves. */
  readonly serve: ((file: string) => Promise<{ readonly env: Record<string, string>; close(): Promise<void> }>) | null;
}

export async function createWorld(shape: Shape): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), "muster-soak-"));
  const file = join(dir, "muster.db"), token = createTokenText(), mail = await startMailServer();
  const listeners = await Promise.all(Array.from({ length: shape.endpoints }, (_, i) => startListener(i)));
  const source = await startSource(PEOPLE_OF_THE_SOURCE);
  const server = await shape.serve?.(file) ?? null, master = createMasterKeyText(), port = await findPort();
  const hubs = await startHubs(shape.clocks, (place) => ({
    MUSTER_DATA_DIR: server === null ? dir : join(dir, `data-${place}`),
    MUSTER_MASTER_KEY: master,
    MUSTER_ADMIN_TOKEN: token,
    MUSTER_ALLOW_HOSTS: "127.0.0.0/8",
    MUSTER_RATE_LIMIT: "0",
    MUSTER_CONNECTORS: fileURLToPath(new URL("../support/source.ts", import.meta.url)),
    SMTP_URL: `smtp://127.0.0.1:${mail.port}`,
    MAIL_FROM: "hub@example.com",
    // The files that wait are on one bridge's disk.
    MUSTER_SFTP_PORT: String(place === 0 ? port : 0),
    MUSTER_SFTP_DIR: join(dir, `sftp-${place}`),
    ...server?.env,
  }));

  async function call(slug: string | null, path: string, method = "GET", body?: string, type = "application/json") {
    const named: Record<string, string> = slug === null ? {} : { "muster-organization": slug };
    const headers = { authorization: `Bearer ${token}`, "content-type": type, ...named };
    const response = await hubs.ask(`/v1${path}`, { method, body, headers });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} of ${slug}: ${response.status} ${text.slice(0, 500)}`);
    return (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
  }

  async function createOrganization(number: number, isOverSftp: boolean): Promise<Organization> {
    const slug = `org-${number}`;
    const contact = { technical_contact: `${slug}@example.com`, reply_to: `hr.${slug}@example.com` };
    await call(null, "/organizations", "POST", JSON.stringify({ slug, name: slug, timezone: "UTC", ...contact }));
    const policy = { coverage: "diff", pick: "all" };
    const made = { connector: "sftp-drop", name: "people", slug: "people", policy, limits: NO_GUARDS };
    await call(slug, "/connections", "POST", JSON.stringify(made));
    const sftp = isOverSftp ? await createLogin(slug) : null;
    return { slug, series: createSeries(number, shape.people), files: [], sftp };
  }

  async function createLogin(slug: string): Promise<SftpLogin> {
    const login = await call(slug, "/connections/people/sftp-login", "POST", JSON.stringify({ method: "password" }));
    return { port, username: login.username as string, password: login.password as string };
  }

  async function createSchedule({ slug }: Organization): Promise<void> {
    const input = {
      connector: "paged",
      name: "source",
      slug: "source",
      schedule: { cron: "* * * * *" },
      limits: NO_GUARDS,
    };
    const more = { settings: { host: source.host }, secrets: { api_key: source.key } };
    await call(slug, "/connections", "POST", JSON.stringify({ ...input, ...more }));
  }

  async function close(): Promise<void> {
    await hubs.stop();
    for (const listener of listeners) await listener.close();
    await source.close();
    await mail.close();
    await server?.close();
    await rm(dir, { recursive: true, force: true });
  }

  const organizations: Organization[] = [];
  try {
    for (let i = 0; i < shape.organizations; i++) organizations.push(await createOrganization(i, i === 1));
    await createSchedule(organizations[0]!);
    for (const [i, { url }] of listeners.entries()) {
      await call(organizations[i % organizations.length]!.slug, "/webhook-endpoints", "POST", JSON.stringify({ url }));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    hubs,
    organizations,
    listeners,
    file,
    async post({ slug, series, files, sftp }) {
      const next = series.next();
      if (sftp !== null) await put(sftp, next.name, next.text);
      else await call(slug, `/connections/people/drops?name=${next.name}`, "POST", next.text, "text/csv");
      files.push(next);
    },
    ask: ({ slug }, path) => call(slug, path),
    close,
  };
}

const OFF = { enabled: false };
const NO_GUARDS = { create: OFF, deactivate: OFF, reactivate: OFF, identity: OFF };

const PEOPLE_OF_THE_SOURCE = Array.from({ length: 20 }, (_, i) => ({
  id: `S${i + 1}`,
  mail: `source${i + 1}@example.com`,
  first: "Source",
  last: `Number${i + 1}`,
}));
