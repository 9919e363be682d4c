/**
 * Opens a run's drop for reading. An encrypted drop is decrypted while it is read, each time again: no plaintext is stored.
 * Before that it is proven to be complete, unchanged and signed as the connection requires, so that nothing else is
 * planned.
 */
import type { DropSource } from "../connector.ts";
import { Fault } from "../model/errors.ts";
import type { Hub } from "../hub.ts";
import { type Decryption, isEncryptedDrop, openEncrypted, unsignedFault } from "../intake/decrypt.ts";
import { sleep } from "../std/sleep.ts";
import { MAX_DROP_BYTES, openDrop } from "../store/runs/drop-content.ts";
import type { Drop } from "../store/runs/drops.ts";
import { listPgpKeys, pgpKeyPurpose } from "../store/connections/pgp-keys.ts";
import { updateRun } from "../store/runs/run-steps.ts";
import { toInstant } from "../std/time.ts";
import type { Stage } from "./stage.ts";

/** How often to check that decryption makes progress. */
const LOOK_EVERY_MS = 250;

/** Fails with a Fault if the drop cannot be used. */
export async function openProven(stage: Stage, drop: Drop): Promise<DropSource> {
  const { hub, run } = stage;
  const source = openDrop(hub.db, drop, hub.packing);
  if (!await isEncryptedDrop(source)) {
    if (stage.policy.signature === "required") throw unsignedFault();
    return source;
  }
  if (drop.id === run.dropId && !run.encrypted) {
    await hub.db.write([updateRun(hub.db, run.id, { encrypted: true }), ...stage.renew()]);
  }
  return await openAndProve(hub, drop, source, {
    signatureRequired: stage.policy.signature === "required",
    onProgress: (bytes) => stage.step({ phase: "decrypt", done: bytes, total: drop.bytes }),
  });
}

/** What an encrypted source contains, after it has been proven. It may be opened more than once, as the source. */
export async function openAndProve(
  hub: Hub,
  owner: Pick<Drop, "organizationId" | "connectionId">,
  source: DropSource,
  { signatureRequired, onProgress }: { signatureRequired: boolean; onProgress: (bytes: number) => Promise<void> },
): Promise<DropSource> {
  const encrypted = await openEncrypted(source, await loadDecryption(hub, owner, signatureRequired));
  await encrypted.prove(onProgress);
  return encrypted.drop;
}

/** The content of an encrypted drop that a run has proven and used. Null: the hub no longer has its key. */
export async function openUsed(hub: Hub, drop: Drop): Promise<DropSource | null> {
  const decryption = await loadDecryption(hub, drop, false);
  try {
    return (await openEncrypted(openDrop(hub.db, drop, hub.packing), decryption)).drop;
  } catch (error) {
    if (error instanceof Fault && error.code === "decryption_failed") return null;
    throw error;
  }
}

async function loadDecryption(
  hub: Hub,
  { organizationId, connectionId }: Pick<Drop, "organizationId" | "connectionId">,
  signatureRequired: boolean,
): Promise<Decryption> {
  const keys = await listPgpKeys(hub.db, organizationId, connectionId);
  return {
    own: keys.filter(({ owner }) => owner === "hub").map((key) => ({
      fingerprint: key.fingerprint,
      keyIds: key.keyIds,
      retired: key.retiredAt === null ? null : toInstant(key.retiredAt).slice(0, 10),
      async open() {
        if (key.privateKey === null) throw new Fault("decryption_failed", `The key ${key.fingerprint} was retired`);
        return await hub.secrets.open(pgpKeyPurpose(key.id), key.privateKey);
      },
    })),
    signers: keys.filter(({ owner, retiredAt }) => owner === "customer" && retiredAt === null),
    signatureRequired,
    now: hub.now(),
    maxBytes: MAX_DROP_BYTES,
    decrypt: hub.decrypt,
    pause: (signal) => sleep(LOOK_EVERY_MS, signal).catch(() => {}),
  };
}
