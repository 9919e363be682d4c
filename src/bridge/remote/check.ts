/** A check of a remote server: its host key, whether it lets us in, what there is to take. Writes nothing there. */
import type { BridgeConnection, CheckResult, Dial } from "../contract.ts";
import { isMeant } from "../places.ts";
import { troubleOf } from "../trouble.ts";
import type { Limits } from "./limits.ts";
import { readHostKey } from "./log-in.ts";
import { openSession, Refused } from "./session.ts";
import { whyNotListed } from "./visit.ts";

/** Until the host key is confirmed, neither user name nor secret is sent to the server. */
export async function checkRemote(
  dial: Dial,
  connection: BridgeConnection,
  limits: Limits,
  signal: AbortSignal,
): Promise<CheckResult> {
  const { host, hostKey: pinned } = connection.settings.remote!;
  let shown: string | undefined;
  try {
    if (pinned === null) {
      shown = await readHostKey(dial, connection, limits, signal);
      const detail =
        `"${host}" shows the host key ${shown}: compare it with what its owner says, then set it as host_key`;
      return { ok: false, detail, found: { host_key: shown } };
    }
    const session = await openSession(dial, connection, limits, signal);
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
    if (signal.aborted) throw error;
    if (troubleOf(error).code === "host_key_changed") {
      shown = await readHostKey(dial, connection, limits, signal).catch(() => undefined);
    }
    return {
      ok: false,
      detail: troubleOf(error).message,
      found: shown === undefined ? {} : { host_key: shown },
    };
  }
}
