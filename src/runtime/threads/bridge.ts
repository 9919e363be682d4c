/**
 * The bridge inside `muster serve`: a thread of its own, so that SSH's arithmetic keeps nobody waiting.
 *
 * A thread that ends by itself is said in the log and started again. What it was doing is found where it was: files in
 * their trees, and the rest on the hub.
 */
import { createServer } from "node:net";
import { isDiskFull } from "../../bridge/disk.ts";
import { Fault } from "../../model/errors.ts";
import type { Hub } from "../../hub.ts";
import { supervise } from "./supervise.ts";
import type { BridgeSettings } from "../open-bridge.ts";

/** What the thread says. */
export type BridgeMessage =
  | { readonly kind: "log"; readonly event: string; readonly details?: Parameters<Hub["log"]>[1] }
  | { readonly kind: "started"; readonly hosted: { readonly port: number; readonly fingerprint: string } | null }
  | { readonly kind: "failed"; readonly code: string | null; readonly details: Parameters<Hub["log"]>[1] };

export interface OwnBridge {
  /** Where the hosted server listens, once it does for the first time; fails when it cannot. */
  readonly started: Promise<{ readonly port: number; readonly fingerprint: string } | null>;
  /** Lets what is handed over come to its end for a little while, then ends the thread. */
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
  // Whoever does not wait for it sees the log.
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
  });
  return { started: first, stop: thread.stop };
}

/** Fails when something listens there already. What is found free now is as good as had. */
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

/** As a fault where the disk is the reason, which an operator can do something about. */
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
