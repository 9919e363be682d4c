/**
 * Runs the bridge of `muster serve` in a thread of its own, so that SSH's cryptography does not delay requests.
 *
 * A thread that ends by itself is logged and restarted. It loses nothing: files are in their trees, and everything else is
 * on the hub.
 */
import { createServer } from "node:net";
import { isDiskFull } from "../../bridge/disk.ts";
import { Fault } from "../../model/errors.ts";
import type { Hub } from "../../hub.ts";
import { supervise } from "./supervise.ts";
import type { BridgeSettings } from "../open-bridge.ts";

/** Messages from the thread. */
export type BridgeMessage =
  | { readonly kind: "log"; readonly event: string; readonly details?: Parameters<Hub["log"]>[1] }
  | { readonly kind: "started"; readonly hosted: { readonly port: number; readonly fingerprint: string } | null }
  | { readonly kind: "failed"; readonly code: string | null; readonly details: Parameters<Hub["log"]>[1] };

export interface OwnBridge {
  /** Where the hosted server listens; null: there is none. Resolves at the first start, or fails. */
  readonly started: Promise<{ readonly port: number; readonly fingerprint: string } | null>;
  /** Gives transfers that have begun a few seconds to end, then ends the thread. */
  stop(): Promise<void>;
}

const GRACE_MS = 8_000;

export function startOwnBridge(
  settings: BridgeSettings,
  log: Hub["log"],
  file: URL = new URL("./bridge-thread.ts", import.meta.url),
): OwnBridge {
  let hasStarted = false;
  let begun: (hosted: { port: number; fingerprint: string } | null) => void = () => {};
  let notBegun: (fault: Fault) => void = () => {};
  const first = new Promise<{ port: number; fingerprint: string } | null>((resolve, reject) => {
    begun = resolve;
    notBegun = reject;
  });
  // The failure is logged, so `started` need not be awaited.
  first.catch(() => {});

  const thread = supervise<BridgeMessage>({
    file,
    workerData: settings,
    graceMs: GRACE_MS,
    onMessage(message) {
      if (message.kind === "log") return log(message.event, message.details);
      if (message.kind === "started") {
        hasStarted = true;
        return begun(message.hosted);
      }
      if (!hasStarted) notBegun(new Fault("unavailable", whyNot(settings, message.code)));
      log("bridge.not_started", message.details);
    },
    onError: () => log("bridge.broken"),
    onExit() {
      if (!hasStarted) notBegun(new Fault("unavailable", whyNot(settings, null)));
      return hasStarted;
    },
    onRestart: (restartMs) => log("bridge.ended", { restart_ms: restartMs }),
    onLate: () => log("bridge.terminated"),
  });
  return { started: first, stop: thread.stop };
}

/** Fails if something listens there already. Another process could still take the port afterwards. */
export async function requireFreePort({ host, port }: Pick<BridgeSettings, "host" | "port">): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const probe = createServer();
    probe.once(
      "error",
      (error: { code?: string }) =>
        reject(new Fault("unavailable", whyNot({ host, port }, error.code ?? null), { cause: error })),
    );
    probe.listen(port, host, () => probe.close(() => resolve()));
  });
}

/** Turns a full disk into a Fault with a message for the operator; returns other errors as they are. */
export function notOpened(error: unknown): unknown {
  return isDiskFull(error) ? new Fault("unavailable", DISK_FULL, { cause: error }) : error;
}

const DISK_FULL = "The bridge's disk is full: there should be room in MUSTER_SFTP_DIR for its keys and for uploads";

function whyNot({ host, port }: Pick<BridgeSettings, "host" | "port">, code: string | null): string {
  if (isDiskFull({ code })) return DISK_FULL;
  if (code === "EADDRINUSE" || code === "EACCES") {
    const what = code === "EADDRINUSE" ? "is used by something else" : "may not be used by this user";
    return `MUSTER_SFTP_PORT is ${port}, which ${what} at ${host}: it should be a free port, or 0 for no SFTP server`;
  }
  return "The SFTP server could not be started; the log says why";
}
