/** What `muster serve` does beside answering requests: sends webhooks and mails, reads sources, backs up, speaks SFTP. */
import type { Config } from "../runtime/config.ts";
import { startBackups } from "../runtime/backups/schedule.ts";
import { addressOf } from "../runtime/open-bridge.ts";
import { type OwnBridge, startOwnBridge } from "../runtime/threads/bridge.ts";
import { startCourier } from "../runtime/threads/courier.ts";
import { startFetcher } from "../runtime/threads/fetcher.ts";
import { startMailer } from "../runtime/threads/mailer.ts";
import { isEmbedded } from "../runtime/database.ts";
import { bracketed, type Door } from "./door.ts";
import type { ServedHub } from "./served-hub.ts";

export interface Work {
  /** Where the SFTP server listens; null: there is none. Fails if it cannot be started. */
  readonly hosted: OwnBridge["started"];
  /** Takes on no more work, while requests are still answered. `stop` has to follow. */
  rest(): Promise<void>;
  /** Stops the servers and then all work, each after what it has begun. */
  stop(): Promise<void>;
}

export function startWork(config: Config, door: Door, served: ServedHub): Work {
  const { hub, holder, runner, readers } = served;
  const isLocal = isEmbedded(config.databaseUrl);
  const mailer = config.smtpUrl === null ? null : startMailer(hub, config.smtpUrl, holder);
  const courier = startCourier(hub, holder, isLocal ? "embedded" : "remote");
  const fetcher = startFetcher(hub, holder, isLocal ? "embedded" : "remote");
  const backups = config.backup === null || served.backups === undefined
    ? null
    : startBackups(config.databaseUrl, config.backup, served.backups, hub);
  const bridge = startBridge(config, door, served);
  const rest = async () => {
    await fetcher.stop();
    await runner.stop();
    await courier.stop();
    await mailer?.stop();
  };
  return {
    hosted: bridge?.started ?? Promise.resolve(null),
    async rest() {
      await bridge?.stop();
      await rest();
    },
    async stop() {
      await backups?.stop();
      await bridge?.stop();
      await door.listening.close();
      await Promise.all(readers.map((reader) => reader.stop()));
      await rest();
    },
  };
}

function startBridge(config: Config, { listening }: Door, { hub, bridgeToken }: ServedHub): OwnBridge | null {
  if (bridgeToken === null) return null;
  const { host, sftpAddress, publicUrl } = config;
  // A hub that listens at every address of the machine listens at this one, too.
  const local = ["0.0.0.0", "::"].includes(host) ? "127.0.0.1" : bracketed(host);
  return startOwnBridge({
    host,
    port: config.sftpPort,
    url: `http://${local}:${listening.port}`,
    token: bridgeToken,
    name: "the hub's own",
    dir: config.sftpDir,
    address: addressOf(sftpAddress, publicUrl, host),
    quota: config.sftpQuota,
    allowHosts: config.allowHosts,
  }, hub.log);
}
