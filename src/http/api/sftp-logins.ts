/** The login of a connection's customer at the hosted SFTP server: its user name, its password and its keys. */
import { connectorFor } from "../../hub.ts";
import { type Context, Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import {
  createKeyPair,
  createPassword,
  createUsername,
  hashPassword,
  parsePublicKey,
} from "../../security/sftp-login.ts";
import type { Connection } from "../../store/connections/connections.ts";
import {
  addSftpKey,
  changeSftpLogin,
  deleteSftpLogin,
  findSftpLogin,
  MAX_SFTP_KEYS,
  setSftpPassword,
  type SftpLoginWithKeys,
} from "../../store/bridges/sftp-logins.ts";
import { toInstant } from "../../std/time.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { loadConnection } from "./connections.ts";
import { describe, IF_MATCH, NOTHING, route, versioned } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { requireDecider } from "./loosening.ts";
import { holdNew, loadSftpViews, SFTP } from "./sftp-view.ts";
import { INSTANT, SHOWN_ONCE, SHOWN_ONCE_CODE } from "../kit/shapes.ts";
import { invalid, jsonBody } from "../kit/validate.ts";
import { NAME } from "../kit/values.ts";
import { deleteVersion, requireMatch, withVersion, writeVersion } from "../kit/version.ts";

const NEW = z.strictObject({
  /** A password or a key pair that the hub creates, or the public key in `public_key`. */
  method: z.enum(["password", "public_key", "key_pair"]),
  public_key: z.string().max(10_000, "should have at most 10000 characters").optional(),
  /** A name for the key; by default its comment. */
  name: NAME.optional(),
}).meta({ id: "SftpLoginInput", examples: [{ method: "password" }] });

const CHANGES = z.strictObject({
  /** Null removes the password. */
  password: z.null(),
  /** Fingerprints of the keys that stay. */
  keys: z.array(z.string()).max(MAX_SFTP_KEYS),
}).partial().meta({ id: "SftpLoginChanges", examples: [{ password: null }] });

const KEY = z.strictObject({
  name: z.string().meta({ examples: ["HR server"] }),
  type: z.string().meta({ examples: ["ssh-ed25519"] }),
  fingerprint: z.string().meta({ examples: ["SHA256:fAHRL9XKHXw6hDmIFtbpKSJpQ1hTIhjiMQyEfIHDFVQ"] }),
  made_by: z.enum(["hub", "admin"]),
  created_at: INSTANT,
}).meta({ id: "SftpKey" });

const LOGIN = z.strictObject({
  username: z.string().nullable().meta({
    description: "Null: there is no login yet",
    examples: ["hr-file-7f3k2m9q"],
  }),
  password: z.strictObject({ set: z.literal(true), updated_at: INSTANT }).nullable(),
  keys: z.array(KEY),
  server: SFTP.shape.server.meta({ description: "Null until a bridge with a hosted server has connected" }),
  version: z.int(),
}).meta({ id: "SftpLogin" });

export type SftpLoginView = z.infer<typeof LOGIN>;

const NEW_LOGIN = LOGIN.omit({ password: true }).extend({
  password: z.union([SHOWN_ONCE, LOGIN.shape.password]).meta({
    description: "Shown in this answer only",
    examples: ["k7m2p-9qrst-wxyz2-34567-89abc"],
  }),
  private_key: SHOWN_ONCE.optional().meta({ examples: ["-----BEGIN OPENSSH PRIVATE KEY-----\n…"] }),
  ...SHOWN_ONCE_CODE,
}).meta({ id: "NewSftpLogin" });

export type NewSftpLoginView = z.infer<typeof NEW_LOGIN>;

function viewLogin(
  found: SftpLoginWithKeys | null,
  server: z.infer<typeof SFTP>["server"],
): SftpLoginView {
  return {
    username: found?.login.username ?? null,
    password: found?.login.passwordSetAt == null
      ? null
      : { set: true, updated_at: toInstant(found.login.passwordSetAt) },
    keys: (found?.keys ?? []).map((key) => ({
      name: key.name,
      type: key.type,
      fingerprint: key.fingerprint,
      made_by: key.madeBy,
      created_at: toInstant(key.createdAt),
    })),
    server,
    version: found?.login.version ?? 0,
  };
}

const create = route(
  describe("makeSftpLogin", "Create an SFTP login, or add a password or key", { 201: versioned(NEW_LOGIN) }, {
    description: "For connections in the mode `hosted`. A password or private key made by the hub is in " +
      "this answer only. At most 20 keys.",
    headers: [IF_MATCH],
    faults: ["conflict", "unprocessable"],
  }),
  requires("connections:write"),
  jsonBody(NEW),
  async (c) => {
    requireDecider(c, "creating an SFTP login");
    const { method, public_key, name } = c.req.valid("json");
    const { db, now } = c.get("hub");
    const connection = await loadHosted(c);
    const before = await findSftpLogin(db, connection);
    requireMatch(c, { version: before?.login.version ?? 0 });
    await holdNew(c.get("hub"), connection, byOf(c));
    const username = createUsername(connection.slug);
    if (method !== "public_key" && public_key !== undefined) throw wrongKey(`is not allowed with "${method}"`);
    if (method === "password") {
      const password = createPassword();
      const passwordHash = await hashPassword(password);
      await setSftpPassword(db, connection, { username, passwordHash }, now(), byOf(c));
      return await answer(c, connection, 201, { password });
    }
    const pair = method === "key_pair" ? await createKeyPair(username) : null;
    const key = pair ?? parsePublicKey(public_key ?? "");
    if (typeof key === "string") throw wrongKey(public_key === undefined ? "is required" : key);
    const { type, text: publicKey, fingerprint } = key;
    const label = name ?? (pair === null && key.comment !== "" ? key.comment.slice(0, 254) : "Key");
    const madeBy = pair === null ? "admin" : "hub";
    const stored = { username, name: label, type, publicKey, fingerprint, madeBy } as const;
    if (!await addSftpKey(db, connection, stored, now(), byOf(c))) {
      throw new Fault("conflict", `The login already has this key, or the maximum of ${MAX_SFTP_KEYS} keys`);
    }
    return await answer(c, connection, 201, pair === null ? {} : { private_key: pair.privateKey });
  },
);

const get = route(
  describe("getSftpLogin", "Get the SFTP login", { 200: versioned(LOGIN) }, {
    description: "User name, keys and server address, as the customer needs them; no password.",
  }),
  requires("connections:read"),
  async (c) => await answer(c, await loadConnection(c), 200, {}),
);

const update = route(
  describe("updateSftpLogin", "Remove the SFTP password or keys", { 200: versioned(LOGIN) }, {
    description: "Sessions that used what was removed are disconnected. The login itself stays.",
    headers: [IF_MATCH],
  }),
  requires("connections:write"),
  jsonBody(CHANGES),
  async (c) => {
    const { password, keys } = c.req.valid("json");
    const connection = await loadConnection(c);
    await writeVersion(c, () => loadVersion(c, connection), async (db, { found }, now, by) => {
      if (found === null || (password === undefined && keys === undefined)) return true;
      const changes = { removePassword: password === null, keep: keys ?? null };
      return await changeSftpLogin(db, found, changes, now, by) ? true : null;
    });
    return await answer(c, connection, 200, {});
  },
);

const remove = route(
  describe("deleteSftpLogin", "Revoke the login and disconnect its sessions", { 204: NOTHING }, {
    description: "Nobody can log in to this connection until a new login is created.",
    headers: [IF_MATCH],
  }),
  requires("connections:write"),
  async (c) => {
    const connection = await loadConnection(c);
    return await deleteVersion(c, () => loadVersion(c, connection), async (db, { found }, now, by) => {
      if (found === null) throw new Fault("not_found", `The connection "${connection.slug}" has no SFTP login`);
      return await deleteSftpLogin(db, found, now, by);
    });
  },
);

export const sftpLoginRoutes: Hono<Env> = new Hono<Env>()
  .post("/:id/sftp-login", ...create)
  .get("/:id/sftp-login", ...get)
  .patch("/:id/sftp-login", ...update)
  .delete("/:id/sftp-login", ...remove);

/** A connection whose files are uploaded to Muster's own server. */
async function loadHosted(c: Context<Env>): Promise<Connection> {
  const connection = await loadConnection(c);
  const isBridged = connectorFor(c.get("hub").registry, connection)?.bridged === true;
  if (isBridged && connection.settings.mode !== "remote") return connection;
  throw new Fault(
    "unprocessable",
    `The connection "${connection.slug}" does not use Muster's own SFTP server: it should have the connector ` +
      '"sftp-drop" and the mode "hosted"',
  );
}

async function loadVersion(c: Context<Env>, connection: Connection) {
  const found = await findSftpLogin(c.get("hub").db, connection);
  return { found, version: found?.login.version ?? 0 };
}

function wrongKey(detail: string): Fault {
  return invalid("The key is invalid", [{ code: "custom", path: ["public_key"], message: detail }]);
}

async function answer(
  c: Context<Env>,
  connection: Connection,
  status: 200 | 201,
  secret: { password?: string; private_key?: string },
): Promise<Response> {
  const hub = c.get("hub");
  const found = await findSftpLogin(hub.db, connection);
  const sftp = (await loadSftpViews(hub, connection.organizationId, [connection])).get(connection.id);
  const view = { ...viewLogin(found, sftp?.server ?? null), ...secret };
  return withVersion(c, { version: view.version }, view, status);
}
