/**
 * What the bridge writes to the server that a file came from: its failure report, and the file itself into `failed` when it
 * could not be decrypted. Old copies and reports are removed there.
 *
 * Each step is safe to repeat: after a kill, all of it is done again.
 */
import type { Refused, Returning } from "../model/bridge-wire.ts";
import { type AskHub, HubRefused, post } from "./ask-hub.ts";
import { type BridgeConnection, KEPT_COPIES_MS, type Transport } from "./contract.ts";
import { keptAt, NOT_USED, placeOf } from "./places.ts";
import { isRefusal } from "./trouble.ts";

export async function bringBack(
  ask: AskHub,
  connection: BridgeConnection,
  returning: readonly Returning[],
  open: () => Promise<Transport>,
): Promise<void> {
  // A connection that leaves files where they are leaves failed ones too.
  const moves = connection.settings.after !== "leave";
  const isAny = returning.some(({ report, failed }) => report !== null || (failed && moves));
  const transport = isAny ? await open() : null;
  try {
    for (const file of returning) {
      if (transport !== null) {
        if (file.failed && moves) await toFailed(ask, connection, file, transport);
        if (file.report !== null) await writeReport(ask, connection, file, transport);
      }
      await post(ask, `/files/${file.id}/returned`, {});
    }
  } finally {
    await transport?.close();
  }
}

async function writeReport(
  ask: AskHub,
  connection: BridgeConnection,
  file: Returning,
  transport: Transport,
): Promise<void> {
  const report = await ask(`/files/${file.id}/report`).catch(unlessGone);
  if (report === null) return;
  try {
    await transport.write(`${placeOf(connection, "reports")}/${file.report}`, bodyOf(report));
  } catch (error) {
    // A server that can only be read: where the hub can mail why the file was not used, nothing waits to be written.
    if (!isRefusal(error) || !file.report!.endsWith(NOT_USED) || !await isMailed(ask, file)) throw error;
  }
}

async function isMailed(ask: AskHub, { id }: Returning): Promise<boolean> {
  const answer = await ask(`/files/${id}/refused`, { json: {} });
  return (await answer.json() as Refused).mailed;
}

async function toFailed(
  ask: AskHub,
  connection: BridgeConnection,
  file: Returning,
  transport: Transport,
): Promise<void> {
  const path = `${placeOf(connection, "failed")}/${file.kept_as}`;
  try {
    return await transport.rename(`${placeOf(connection, ".bak")}/${file.kept_as}`, path);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOENT") throw error;
  }
  // The file was deleted when it was taken, or has been moved already. The hub has its content too.
  const there = await transport.list(placeOf(connection, "failed"));
  if (there.some(({ name }) => name === file.kept_as)) return;
  const content = await ask(`/files/${file.id}/content`).catch(unlessGone);
  if (content !== null) await transport.write(path, bodyOf(content));
}

/**
 * Removes what the bridge put into `.bak`, `reports` and `failed` more than 30 days ago; files of others stay. A connection
 * that leaves files where they are has reports alone.
 */
export async function tidy(connection: BridgeConnection, transport: Transport, now: number): Promise<number> {
  let count = 0;
  const places = connection.settings.after === "leave" ? ["reports"] as const : [".bak", "failed", "reports"] as const;
  for (const place of places) {
    const folder = placeOf(connection, place);
    for (const { name, modifiedAt } of await transport.list(folder)) {
      const isOurs = /\.failures\.(?:csv|xlsx)(?:\.\w+)?$/.test(name) || name.endsWith(NOT_USED);
      const since = place === "reports" ? isOurs ? modifiedAt : null : keptAt(name);
      if (since === null || now - since < KEPT_COPIES_MS) continue;
      await transport.remove(`${folder}/${name}`);
      count++;
    }
  }
  return count;
}

function bodyOf(answer: Response): ReadableStream<Uint8Array> {
  return answer.body ?? new Blob([]).stream();
}

/** Null: the hub has deleted it by now. */
function unlessGone(error: unknown): null {
  if (error instanceof HubRefused && error.status === 404) return null;
  throw error;
}
