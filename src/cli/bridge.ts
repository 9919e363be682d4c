/** `muster bridge`: runs the SFTP bridge alone, for a hub that runs elsewhere. */
import { hostname } from "node:os";
import { createLog } from "../runtime/log.ts";
import { addressOf, openBridge } from "../runtime/open-bridge.ts";
import { notOpened, requireFreePort } from "../runtime/threads/bridge.ts";
import { isWebAddress, loadConfig } from "../runtime/config.ts";
import { logUncaught } from "../runtime/uncaught.ts";
import { Fault } from "../model/errors.ts";
import { isTokenText, TOKEN_FORM } from "../security/token.ts";
import { DONE, type Terminal } from "../runtime/command.ts";

interface BridgeValues {
  readonly hub?: string;
  readonly token?: string;
  readonly name?: string;
}

export async function bridge(values: BridgeValues, terminal: Terminal): Promise<number> {
  const log = createLog((line) => terminal.err(line));
  const config = loadConfig(terminal.env, (warning) => log("settings.warning", { warning }));
  const url = hubUrl(values.hub);
  // Every user of the machine can see arguments, but not the environment.
  const token = values.token ?? terminal.env.MUSTER_BRIDGE_TOKEN ?? "";
  if (!isTokenText(token)) {
    throw new Fault("invalid_request", `--token, or MUSTER_BRIDGE_TOKEN, is not a token: it should be ${TOKEN_FORM}`);
  }
  if (config.sftpPort !== 0) await requireFreePort({ host: config.host, port: config.sftpPort });
  const opened = await openBridge({
    url,
    token,
    name: values.name?.trim() || hostname(),
    dir: config.sftpDir,
    host: config.host,
    port: config.sftpPort,
    address: addressOf(config.sftpAddress, null, config.host),
    quota: config.sftpQuota,
    allowHosts: config.allowHosts,
  }, log).catch((error) => {
    throw notOpened(error);
  });
  logUncaught(log);
  const asked = new Promise<void>((resolve) => terminal.onInterrupt(resolve));
  terminal.out(`The bridge works for ${url}; its key is ${opened.thumbprint}`);
  if (opened.hosted !== null) {
    terminal.out(`SFTP is at ${config.host}:${opened.hosted.port}, with the host key ${opened.hosted.fingerprint}`);
  }
  await asked;
  log("bridge.stopping");
  await opened.close();
  log("bridge.stopped");
  return DONE;
}

function hubUrl(text: string | undefined): string {
  if (text !== undefined && isWebAddress(text)) return text.replace(/\/+$/, "");
  throw new Fault(
    "invalid_request",
    `--hub is "${text ?? ""}": it should be the address of a hub, like https://muster.example.com`,
  );
}
