/** A connection's OpenPGP keys: created by the hub or registered by the customer, shown, retired, deleted. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { decodeId, encodeId } from "../../model/id.ts";
import { createKeyPair, MAX_KEY_CHARACTERS, parsePublicKey } from "../../security/pgp.ts";
import type { Database } from "../../store/database.ts";
import type { Connection } from "../../store/connections/connections.ts";
import {
  createPgpKey,
  deletePgpKey,
  findPgpKey,
  listPgpKeys,
  MAX_PGP_KEYS,
  type PgpKey,
  pgpKeyPurpose,
  retirePgpKey,
} from "../../store/connections/pgp-keys.ts";
import { reserve } from "../../store/sequences.ts";
import { toInstant, toInstantOrNull } from "../../std/time.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { loadConnection } from "./connections.ts";
import { describe, IF_MATCH, NOTHING, route, versioned } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { requireTakesDrops } from "./drop-answer.ts";
import { requireDecider } from "./loosening.ts";
import { idOf, INSTANT, listOf } from "../kit/shapes.ts";
import { jsonBody } from "../kit/validate.ts";
import { NO_FIELDS } from "../kit/values.ts";
import { changeVersion, deleteVersion, getVersion, withVersion } from "../kit/version.ts";
import { answerList, PAGED, type Place } from "../kit/paging.ts";
import { pathParameter } from "../kit/load.ts";

const NEW = z.strictObject({
  /** The kind of key pair for the hub to create. Every program reads RSA; `ecc` is Curve25519. */
  type: z.enum(["rsa", "ecc"]),
  /** The customer's public key, to be registered. */
  public_key: z.string().max(MAX_KEY_CHARACTERS, `should have at most ${MAX_KEY_CHARACTERS} characters`),
}).partial().refine((input) => input.type === undefined || input.public_key === undefined, {
  message: "is not allowed together with public_key: a key is either created or registered",
  path: ["type"],
}).meta({ id: "PgpKeyInput", examples: [{ type: "rsa" }] });

const PGP_KEY = z.strictObject({
  id: idOf("pgp"),
  owner: z.enum(["hub", "customer"]).meta({
    description: "`hub`: files are encrypted with it. `customer`: files are signed with it, and reports encrypted",
  }),
  status: z.enum(["active", "retired"]),
  fingerprint: z.string().meta({ examples: ["AB6FBA5585F239541DEA529AA3BECF64280DADCD"] }),
  public_key: z.string().meta({ description: "Armored", examples: ["-----BEGIN PGP PUBLIC KEY BLOCK-----\n…"] }),
  created_at: INSTANT,
  retired_at: INSTANT.nullable().meta({ examples: [null] }),
  version: z.int(),
}).meta({ id: "PgpKey" });

export type PgpKeyView = z.infer<typeof PGP_KEY>;

function viewPgpKey(key: PgpKey): PgpKeyView {
  return {
    id: encodeId("pgp", key.id),
    owner: key.owner,
    status: key.retiredAt === null ? "active" : "retired",
    fingerprint: key.fingerprint,
    public_key: key.publicKey,
    created_at: toInstant(key.createdAt),
    retired_at: toInstantOrNull(key.retiredAt),
    version: key.version,
  };
}

const create = route(
  describe("createPgpKey", "Create or register an OpenPGP key", { 201: versioned(PGP_KEY) }, {
    description: "Creates a key pair for files sent to the hub, whose private half never leaves it, or registers the " +
      "customer's public key for signatures and encrypted reports. At most 20 keys.",
    faults: ["conflict", "unprocessable"],
  }),
  requires("connections:write"),
  jsonBody(NEW),
  async (c) => {
    const input = c.req.valid("json");
    // A registered key decides whose signatures count, and who can read the reports.
    if (input.public_key !== undefined) requireDecider(c, "registering a key");
    const { db, now, secrets } = c.get("hub");
    const connection = await loadConnection(c);
    const id = await reserve(db, "pgp_key");
    let key;
    if (input.public_key === undefined) {
      requireTakesDrops(c, connection);
      await requireRoom(c, connection);
      const name = `Muster for ${c.get("organization").name}: ${connection.name}`;
      const { privateKey, ...facts } = await createKeyPair(input.type ?? "rsa", name, now());
      key = { ...facts, owner: "hub" as const, privateKey: await secrets.seal(pgpKeyPurpose(id), privateKey) };
    } else {
      await requireRoom(c, connection);
      key = { ...await parsePublicKey(input.public_key, now()), owner: "customer" as const, privateKey: null };
    }
    const made = await createPgpKey(db, connection, { id, ...key }, now(), byOf(c));
    if (made === "taken") {
      throw new Fault("conflict", `The connection already has the key ${key.fingerprint}; delete it first`);
    }
    if (made === null) throw full(connection);
    return withVersion(c, made, viewPgpKey(made), 201);
  },
);

const list = route(
  describe("listPgpKeys", "List OpenPGP keys", { 200: listOf(PGP_KEY) }, {
    description: "The connection's own key pairs and the customer's public keys, retired ones too.",
  }),
  requires("connections:read"),
  PAGED,
  async (c) => {
    const { id } = await loadConnection(c);
    const load = (db: Database, organizationId: number, place: Place) => listPgpKeys(db, organizationId, id, place);
    return await answerList(c, `pgp-keys-${id}`, load, (row) => row.id, viewPgpKey);
  },
);

const get = route(
  describe("getPgpKey", "Get an OpenPGP key", { 200: versioned(PGP_KEY) }, {
    description: "Its public half, fingerprint and dates. Private halves are never shown.",
  }),
  requires("connections:read"),
  (c) => getVersion(c, loadPgpKey, viewPgpKey),
);

const retire = route(
  describe("retirePgpKey", "Retire an OpenPGP key", { 200: versioned(PGP_KEY) }, {
    description: "Its private half is destroyed: files encrypted to it can no longer be read. The key " +
      "stays in the list.",
    headers: [IF_MATCH],
  }),
  requires("connections:write"),
  jsonBody(NO_FIELDS),
  async (c) => {
    requireDecider(c, "retiring a key");
    return await changeVersion(c, loadPgpKey, retirePgpKey, viewPgpKey);
  },
);

const remove = route(
  describe("deletePgpKey", "Delete an OpenPGP key", { 204: NOTHING }, {
    description: "Removes it from the connection, with its private half. Files encrypted to it can no longer be read.",
    headers: [IF_MATCH],
  }),
  requires("connections:write"),
  async (c) => {
    requireDecider(c, "deleting a key");
    return await deleteVersion(c, loadPgpKey, deletePgpKey);
  },
);

export const pgpKeyRoutes: Hono<Env> = new Hono<Env>()
  .post("/:id/pgp-keys", ...create)
  .get("/:id/pgp-keys", ...list)
  .get("/:id/pgp-keys/:pgp_key", ...get)
  .post("/:id/pgp-keys/:pgp_key/retire", ...retire)
  .delete("/:id/pgp-keys/:pgp_key", ...remove);

/** A key of the connection, or `not_found`. */
async function loadPgpKey(c: Context<Env>): Promise<PgpKey> {
  const connection = await loadConnection(c);
  const name = pathParameter(c, "pgp_key");
  const id = decodeId("pgp", name);
  const key = id === null ? null : await findPgpKey(c.get("hub").db, connection.organizationId, connection.id, id);
  if (key === null) throw new Fault("not_found", `The connection "${connection.slug}" has no key "${name}"`);
  return key;
}

/** Checked before a key pair is created, which takes a moment; the store checks it again. */
async function requireRoom(c: Context<Env>, connection: Connection): Promise<void> {
  const keys = await listPgpKeys(c.get("hub").db, connection.organizationId, connection.id);
  if (keys.length >= MAX_PGP_KEYS) throw full(connection);
}

function full({ slug }: Connection): Fault {
  return new Fault("conflict", `The connection "${slug}" has ${MAX_PGP_KEYS} keys; delete those that are retired`);
}
