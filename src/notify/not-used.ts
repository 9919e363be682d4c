/** Mails to the technical contact about files that were not used, where the file's server does not let a note be written. */
import type { By } from "../model/audit.ts";
import type { Hub } from "../hub.ts";
import type { LeftFile } from "../model/bridge-wire.ts";
import { whyNotUsed } from "../report/not-used.ts";
import { type BridgeFile, isNotReturned, markReturned } from "../store/bridges/bridge-files.ts";
import { type Connection, recordConnection } from "../store/connections/connections.ts";
import { findContact } from "../store/notify/contacts.ts";
import { isNotMailed } from "../store/notify/mails.ts";
import type { StoredRun } from "../store/runs/runs.ts";
import { mailWithoutRun } from "./queue-mails.ts";
import { MAX_FILE_BYTES } from "../model/limits.ts";
import { tooLargeInWords } from "../std/size.ts";

const WHY: Readonly<Record<Exclude<LeftFile["why"], "too_large">, string>> = {
  empty: "it has been empty for an hour",
  unmatched: "files with such a name are not taken",
  temporary: "it has the name of an upload in progress",
  unfinished: "its upload was never finished",
  wrong_digest: "its .sha256 file does not have its digest, so a part of it may be missing",
};

function whyLeft({ why, bytes }: LeftFile): string {
  if (why !== "too_large") return WHY[why];
  return `it ${tooLargeInWords(bytes ?? null, MAX_FILE_BYTES)}; leave out what is not needed, or send it in parts`;
}

/** Queues a mail about a file that is left at its server, once. */
export async function mailLeftFile(
  hub: Hub,
  connection: Connection,
  left: LeftFile,
  by: By,
): Promise<void> {
  const { id: connectionId, organizationId } = connection;
  const { name, since } = left;
  const why = `Nothing of the file was used: ${whyLeft(left)}`;
  const notUsed = { connection: connection.name, file: name, why, since };
  const mail = { organizationId, connectionId, type: "file.not_used", facts: { notUsed } } as const;
  const isNew = isNotMailed({ connectionId, file: name, since });
  await hub.db.write([
    recordConnection(hub.db, by, "bridge.reported", connection, hub.now(), isNew),
    ...await mailWithoutRun(hub, mail, isNew),
  ]);
}

/**
 * Queues a mail instead of the note about the file, which is then returned. False: there is nobody to mail to, or the file's
 * run failed, which is mailed by rules of its own (model/mail-rules.ts).
 */
export async function mailNotUsed(
  hub: Hub,
  file: BridgeFile,
  { run, connection }: StoredRun,
  by: By,
): Promise<boolean> {
  const { organizationId, connectionId } = file;
  if (run.status !== "superseded" && run.status !== "cancelled") return false;
  if (hub.mailFrom == null || await findContact(hub.db, organizationId, connectionId) === null) return false;
  const why = whyNotUsed(run, true)!;
  const notUsed = { connection: connection?.name ?? "A connection", file: file.name, why };
  const mail = { organizationId, connectionId, type: "file.not_used", facts: { notUsed } } as const;
  await markReturned(hub.db, file, hub.now(), by, await mailWithoutRun(hub, mail, isNotReturned(file)));
  return true;
}
