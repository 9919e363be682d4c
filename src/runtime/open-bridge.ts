/** Opens a bridge with its SFTP server and client, for `muster bridge` and for the thread of `muster serve`. */
import { hostname } from "node:os";
import { readFile } from "node:fs/promises";
import { type Bridge, startBridge } from "../bridge/bridge.ts";
import type { Log } from "../bridge/contract.ts";
import { createHostedServer } from "../bridge/hosted/server.ts";
import { createPoller } from "../bridge/remote/poller.ts";
import type { SftpAddress } from "./config.ts";
import { parseAllowHosts } from "../security/outbound.ts";
import { createDial } from "./dial.ts";
import { createByteSweep } from "./threads/memory.ts";
import { readOpenFileLimit, sftpShare } from "./open-files.ts";

/** Plain values, which can be passed to a thread. */
export interface BridgeSettings {
  /** Base of the hub's URL, without a trailing slash. */
  readonly url: string;
  readonly token: string;
  readonly name: string;
  readonly dir: string;
  readonly host: string;
  /** 0: no hosted server. */
  readonly port: number;
  /** The hosted server's address for customers. */
  readonly address: SftpAddress;
  /** Limits of one connection's uploads that wait. */
  readonly quota: { readonly bytes: number; readonly files: number };
  /** As text (config.ts). */
  readonly allowHosts: string;
}

/** Files that were taken or returned are retained for 30 days, up to this multiple of the quota. */
const KEPT = 2;

export async function openBridge(settings: BridgeSettings, log: Log): Promise<Bridge> {
  const { url, token, name, dir, host, port, address } = settings;
  const manifest = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
  return await startBridge({
    url,
    token,
    name,
    version: manifest.version,
    dir,
    hosted: port === 0 ? null : { host, port, address },
    createHostedServer: (given) =>
      createHostedServer(given, {
        limits: {
          ...sftpShare(readOpenFileLimit()),
          quotaBytes: settings.quota.bytes,
          files: settings.quota.files,
          keptBytes: KEPT * settings.quota.bytes,
          keptFiles: KEPT * settings.quota.files,
        },
      }),
    createPoller,
    dial: createDial(parseAllowHosts(settings.allowHosts).allow),
    log,
    passed: createByteSweep(),
    now: Date.now,
  });
}

/** The server's address for customers: as configured, else the hub's own name, else where it listens. */
export function addressOf(configured: SftpAddress | null, publicUrl: string | null, host: string): SftpAddress {
  if (configured !== null) return configured;
  if (publicUrl !== null) return { host: new URL(publicUrl).hostname, port: null };
  return { host: ["0.0.0.0", "::"].includes(host) ? hostname() : host, port: null };
}
