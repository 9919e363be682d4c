/** Log-ins at a bridge's hosted server: the bridge asks, and the hub answers which connection they open, if any. */
import { type Context, Hono } from "hono";
import { LOG_IN, LOG_IN_ATTEMPT, type LogIn } from "../../model/bridge-wire.ts";
import { sha256Hex } from "../../std/hex.ts";
import { encodeId } from "../../model/id.ts";
import { networkOf } from "../../security/rates.ts";
import { isPassword, parsePublicKey, passwordProof } from "../../security/sftp-login.ts";
import { findHeld } from "../../store/bridges/bridge-leases.ts";
import { findSftpLoginNamed, noteSftpLogin, type SftpLoginWithKeys } from "../../store/bridges/sftp-logins.ts";
import { byOf } from "../kit/authorize.ts";
import { asBridge, bridgeOf } from "./caller.ts";
import { describe, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { jsonBody } from "../kit/validate.ts";

const REFUSED: LogIn = { connection: null, proof: null };

const checkLogIn = route(
  describe("checkLogIn", "Check a login at the hosted server", { 200: LOG_IN }, {
    description: "Whether this password or key opens a connection that the bridge holds. Failed attempts " +
      "are limited by network address.",
  }),
  ...asBridge,
  jsonBody(LOG_IN_ATTEMPT),
  async (c) => {
    const { username, address, ...proof } = c.req.valid("json");
    const { db, now, rates } = c.get("hub");
    const key = `sftp ${networkOf(address)}`;
    const found = await findSftpLoginNamed(db, username);
    // A bridge learns only about connections that it has a lease on.
    const held = found === null ? null : await findHeld(db, bridgeOf(c), found.login.connectionId);
    const login = held === null ? null : found;
    const proven = await proves(c, login, proof, () => rates?.logins?.look(key, now()).allowed ?? true);
    if (proven === null) rates?.logins?.take(key, now());
    if (login === null || held === null) return c.json(REFUSED);
    c.set("organization", held.organization);
    await noteSftpLogin(db, login, proven !== null, now(), byOf(c));
    if (proven === null) return c.json(REFUSED);
    const connection = encodeId("con", login.login.connectionId);
    return c.json({ connection, proof: proven });
  },
);

export const bridgeLoginRoutes: Hono<Env> = new Hono<Env>()
  .post("/logins", ...checkLogIn);

/**
 * The credential that opens the login, as hub and bridge name it; null: none does. `mayGuess` tells whether a password
 * that was not used recently may be tried at all.
 */
async function proves(
  c: Context<Env>,
  found: SftpLoginWithKeys | null,
  { password, public_key }: { password?: string; public_key?: string },
  mayGuess: () => boolean,
): Promise<string | null> {
  if (public_key !== undefined) {
    const key = parsePublicKey(public_key);
    if (typeof key === "string" || found === null) return null;
    return found.keys.find(({ publicKey }) => publicKey === key.text)?.fingerprint ?? null;
  }
  if (password === undefined) return null;
  const stored = found?.login.passwordHash ?? null;
  // A client that uploads a file every minute should not cost a slow hash each time.
  const { rates, scrypt } = c.get("hub");
  const welcome = rates?.welcome;
  const digest = stored === null ? null : await sha256Hex(JSON.stringify(["sftp", stored, password]));
  if (digest === null || !welcome?.has(digest)) {
    if (!mayGuess() || !await isPassword(password, stored, scrypt)) return null;
    if (digest !== null) welcome?.add(digest);
  }
  return passwordProof(stored!);
}
