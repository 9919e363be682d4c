/** A check of a connection that a bridge serves: the hub asks the bridge, and waits for its result. */
import type { Context } from "hono";
import type { CheckResult } from "../../connector.ts";
import { askCheck } from "../../store/bridges/bridge-states.ts";
import type { Connection } from "../../store/connections/connections.ts";
import { byOf } from "../kit/authorize.ts";
import type { Env } from "../kit/env.ts";
import { holdNew, loadSftpViews, NO_BRIDGE, type SftpView } from "../api/sftp-view.ts";
import { waitsOf } from "../kit/waiting.ts";

/** A bridge asks for work every few seconds, and gives the server 30 seconds. */
const WAIT_MS = 45_000;

/** `code` is why files cannot be taken; null if they can, or if only the detail says why. */
export interface BridgeChecked extends CheckResult {
  readonly code: string | null;
}

export async function checkByBridge(c: Context<Env>, connection: Connection): Promise<BridgeChecked> {
  const hub = c.get("hub");
  await holdNew(hub, connection, byOf(c));
  const id = await askCheck(hub.db, connection, hub.now(), byOf(c));
  const view = (await loadSftpViews(hub, connection.organizationId, [connection])).get(connection.id)!;
  if (view.bridge === null || view.trouble?.code === "bridge_silent") {
    const { message, code } = view.trouble ?? NO_BRIDGE;
    return { ok: false, detail: message, found: {}, code };
  }
  if (connection.settings.mode !== "remote") return checkHosted(view);
  // The bridge may lose the connection during the wait.
  const check = await waitsOf(hub).checks.until(
    { organizationId: connection.organizationId, id },
    (found) => found === null || found.result !== null || !found.isHeld,
    { ms: WAIT_MS, signal: c.req.raw.signal },
  );
  if (check?.result != null) return { ...check.result, found: { ...check.result.found }, code: null };
  return {
    ok: false,
    detail: `The bridge "${view.bridge.name}" (${view.bridge.id}) has not answered; its log says why`,
    found: {},
    code: "bridge_silent",
  };
}

/** For Muster's own server, the hub has the answer without asking the bridge. */
function checkHosted({ server, trouble, seen_at, bridge }: SftpView): BridgeChecked {
  const found = { ...server, seen_at };
  if (trouble !== null) return { ok: false, detail: trouble.message, found, code: trouble.code };
  return {
    ok: true,
    detail: `Files are dropped at ${server?.host} on port ${server?.port}, and taken by the bridge "${bridge?.name}"`,
    found,
    code: null,
  };
}
