/**
 * Takes hints: a source's webhook that something has changed there. A verified hint only makes the next fetch come sooner;
 * its content is not used. So a forged hint causes no more than a fetch, and a lost one only waits for the schedule. Many
 * hints in a row cause one fetch.
 */
import type { By } from "../model/audit.ts";
import type { Hints } from "../connector.ts";
import { connectorFor, type Hub } from "../hub.ts";
import { encodeId } from "../model/id.ts";
import { loadSecrets } from "../store/connections/connection-secrets.ts";
import type { Connection } from "../store/connections/connections.ts";
import { bringForward, findHinted } from "../store/connections/hints.ts";
import { MINUTE_MS } from "../std/time.ts";

/** A change may cause several events, which one fetch should see together. */
const QUIET_MS = MINUTE_MS;
/** The least time between two fetches that follow hints. */
const APART_MS = 10 * MINUTE_MS;
/** How much the sender's clock may differ from ours. */
const SKEW_MS = 5 * MINUTE_MS;

/** A request that may be a hint. Header names are in lower case. */
export interface HintRequest {
  readonly header: (name: string) => string | null;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** False: it is not a valid hint. The reason is not returned, because it would help to forge one. */
export async function takeHint(hub: Hub, connectionId: number, request: HintRequest, by: By): Promise<boolean> {
  const connection = await findHinted(hub.db, connectionId);
  const hints = connection === null ? undefined : connectorFor(hub.registry, connection)?.hints;
  if (connection === null || hints === undefined || !await isGenuine(hub, connection, hints, request)) return false;
  const now = hub.now();
  const bySource = { ...by, kind: "source", id: encodeId("con", connection.id) } as const;
  if (await bringForward(hub.db, connection, { soon: now + QUIET_MS, apartMs: APART_MS, now }, bySource)) {
    hub.log("connection.hinted", { connection: encodeId("con", connection.id) });
  }
  return true;
}

async function isGenuine(
  hub: Hub,
  connection: Connection,
  hints: Hints,
  { header, body }: HintRequest,
): Promise<boolean> {
  const timestamp = header(hints.timestampHeader) ?? "";
  const signature = readHex(header(hints.signatureHeader) ?? "");
  if (signature === null || !/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(hub.now() - Number(timestamp) * 1000) > SKEW_MS) return false;
  const secret = (await loadSecrets(hub, connection))[hints.secret];
  if (secret === undefined || secret === "") return false;
  const encoder = new TextEncoder();
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, [
    "verify",
  ]);
  // Takes a constant time, however much of the signature is right.
  return await crypto.subtle.verify("HMAC", key, signature, await new Blob([body, timestamp]).arrayBuffer());
}

/** 32 bytes in hex; null: it is something else. */
function readHex(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[0-9a-f]{64}$/i.test(text)) return null;
  return Uint8Array.from(text.match(/../g)!, (pair) => Number.parseInt(pair, 16));
}
