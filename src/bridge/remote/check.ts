/** A check of a remote server: its host key, whether it lets us in, what there is to take. Writes nothing there. */
import type { CheckResult } from "../contract.ts";
import { isMeant } from "../places.ts";
import { troubleOf } from "../trouble.ts";
import { readHostKey, type Target } from "./log-in.ts";
import { openSession, Refused } from "./session.ts";
import { whyNotListed } from "./visit.ts";

/** Until the host key is confirmed, neither user name nor secret is sent to the server. */
export async function checkRemote(target: Target): Promise<CheckResult> {
  const { connection } = target;
  const { host, hostKey: pinned } = connection.settings.remote!;
  let shown: string | undefined;
  try {
    if (pinned === null) {
      shown = await readHostKey(target);
      const detail =
        `"${host}" shows the host key ${shown}: compare it with what its owner says, then set it as host_key`;
      return { ok: false, detail, found: { host_key: shown } };
    }
    const session = await openSession(target);
    shown = session.hostKey;
    try {
      const { folder, patterns } = connection.settings;
      const { files } = await session.list(folder, (name) => isMeant(name, patterns)).catch(async (error) => {
        throw error instanceof Refused ? await whyNotListed(session, error) : error;
      });
      const detail = `"${host}" lets us in; "${folder}" has ${files.length} ${
        files.length === 1 ? "file" : "files"
      } to take`;
      return { ok: true, detail, found: { host_key: shown, files: files.length } };
    } finally {
      session.close();
    }
  } catch (error) {
    if (target.signal.aborted) throw error;
    if (troubleOf(error).code === "host_key_changed") {
      shown = await readHostKey(target).catch(() => undefined);
    }
    return {
      ok: false,
      detail: troubleOf(error).message,
      found: shown === undefined ? {} : { host_key: shown },
    };
  }
}
