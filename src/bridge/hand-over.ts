/**
 * Hands one file over to the hub: opens an upload, sends parts while the file is read, and seals it with size and digest.
 *
 * Nothing is stored here. If it is broken off at any point, the hub has an upload that was not sealed, and deletes it; the
 * file is handed over again from its beginning. At most two parts are in memory.
 */
import { createHash } from "node:crypto";
import type { FileSeal, Taken } from "../model/bridge-wire.ts";
import { type AskHub, HubRefused, post } from "./ask-hub.ts";
import type { BridgeConnection, HandedOver, WholeFile } from "./contract.ts";

const PART_BYTES = 4 * 1024 * 1024;

export async function handOverFile(
  ask: AskHub,
  connection: Pick<BridgeConnection, "id">,
  file: WholeFile,
  signal: AbortSignal,
  passed: (bytes: number) => void = () => {},
): Promise<HandedOver> {
  const opened = await ask(`/connections/${connection.id}/uploads`, {
    json: { name: dropName(file.name) },
    signal,
  });
  const { upload } = await opened.json() as { upload: { id: string; max_part_bytes: number } };
  let taken: Taken;
  try {
    const digest = await sendParts(ask, upload, file, signal, passed);
    const sealed = await ask(`/uploads/${upload.id}/seal`, {
      json: {
        bytes: file.bytes,
        sha256: digest,
        folder: file.folder,
        name: file.name,
        modified_at: file.modifiedAt,
        followed: file.isFollowed ?? false,
      } satisfies FileSeal,
      signal,
      timeoutMs: 300_000,
    });
    taken = await sealed.json();
  } catch (error) {
    // If this fails too, the hub deletes the upload by itself. One that was sealed without our knowledge stays: the hub
    // refuses to delete it.
    await ask(`/uploads/${upload.id}`, { method: "DELETE", attempts: 1, timeoutMs: 5_000 }).catch(() => {});
    throw error;
  }
  const { drop, run, repeated, kept_as: keptAs } = taken;
  return { drop, run, repeated, keptAs, settle: () => post(ask, `/files/${taken.file}/settle`, {}) };
}

/** Returns the SHA-256 in hex. Fails when the file does not have as many bytes as when it was found. */
async function sendParts(
  ask: AskHub,
  upload: { readonly id: string; readonly max_part_bytes: number },
  file: WholeFile,
  signal: AbortSignal,
  passed: (bytes: number) => void,
): Promise<string> {
  const hash = createHash("sha256");
  const size = Math.min(PART_BYTES, upload.max_part_bytes);
  let part = new Uint8Array(size), filled = 0, number = 0, bytes = 0;
  let sending: Promise<unknown> = Promise.resolve();
  let failed: unknown = null;

  async function send(): Promise<void> {
    await sending;
    if (failed !== null) throw failed;
    const body = part.subarray(0, filled);
    const path = `/uploads/${upload.id}/parts/${++number}`;
    sending = ask(path, { bytes: body, signal }).then((answer) => answer.body?.cancel())
      .catch((error) => failed = error);
    part = new Uint8Array(size);
    filled = 0;
  }

  const reader = file.open().getReader();
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.length;
      if (bytes > file.bytes) throw changed(file, `more than ${file.bytes}`);
      hash.update(value);
      passed(value.length);
      for (let at = 0; at < value.length;) {
        const count = Math.min(size - filled, value.length - at);
        part.set(value.subarray(at, at + count), filled);
        filled += count;
        at += count;
        if (filled === size) await send();
      }
    }
    if (bytes !== file.bytes) throw changed(file, String(bytes));
    if (filled > 0) await send();
    await sending;
    if (failed !== null) throw failed;
  } catch (error) {
    await reader.cancel(error).catch(() => {});
    await sending;
    throw error;
  }
  return hash.digest("hex");
}

/** A name that the hub accepts: servers let their users name files as they like. */
function dropName(name: string): string {
  const plain = name.replace(/[\p{Cc}\\]/gu, "_").trim().slice(0, 255);
  return plain === "" ? "file" : plain;
}

function changed(file: WholeFile, bytes: string): HubRefused {
  return new HubRefused(
    409,
    "file_changed",
    `The file had ${file.bytes} bytes when it was found, and has ${bytes} now`,
  );
}
