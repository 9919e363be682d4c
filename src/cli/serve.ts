/**
 * `muster serve`: the hub on this machine.
 *
 * The main thread answers requests; a thread of its own carries runs. Ends in order when it is asked to: requests
 * first, then the batch at hand, then the database.
 */
import { join } from "node:path";
import { ensureFirstToken, prepareStorage } from "../runtime/first-start.ts";
import { createGateMemory, createMainGate } from "../runtime/threads/gate.ts";
import { isEmbedded, openDatabase } from "../runtime/database.ts";
import { ensureDefaultOrganization, installAdminToken } from "../runtime/install.ts";
import { createDecrypt } from "../runtime/threads/decrypting.ts";
import { createLog, errorName } from "../runtime/log.ts";
import { loadKeys, openSecrets } from "../runtime/master-key.ts";
import { startMailer } from "../runtime/threads/mailer.ts";
import { startCourier } from "../runtime/threads/courier.ts";
import { startFetcher } from "../runtime/threads/fetcher.ts";
import { createOutbound } from "../runtime/outbound.ts";
import { requireFreePort, startOwnBridge } from "../runtime/threads/bridge.ts";
import { addressOf } from "../runtime/open-bridge.ts";
import { createOwner } from "../runtime/owner.ts";
import { sharedPacking } from "../runtime/packing.ts";
import { readableByOthers } from "../runtime/private-files.ts";
import { openViewer } from "../runtime/viewer.ts";
import { loadRegistry } from "../runtime/third-party.ts";
import { createReader } from "../runtime/threads/reader.ts";
import { startRunner } from "../runtime/threads/runner.ts";
import { createScrypt } from "../runtime/scrypt.ts";
import { readMemory } from "../runtime/threads/memory.ts";
import { loadConfig } from "../runtime/settings.ts";
import { createApp } from "../http/app.ts";
import type { Hub } from "../hub.ts";
import { createInFlight } from "../security/in-flight.ts";
import { createMetrics } from "../model/metrics.ts";
import { createRates, digestShown } from "../security/rates.ts";
import { resealAll } from "../store/connections/sealed.ts";
import { createWaits } from "../store/watched.ts";
import { createOpenId } from "../security/openid.ts";
import { asFetch, parseAllowHosts } from "../security/outbound.ts";
import { createTokenText, hashToken } from "../security/token.ts";
import { TOGETHER } from "../store/waits.ts";
import { type Command, DONE, type Handler, readArgs } from "../runtime/command.ts";

export const serve: Command = async (args, terminal) => {
  readArgs(args, {});
  const log = createLog((line) => terminal.err(line));
  const config = loadConfig(terminal.env, (warning) => log("settings.unknown", { warning }));
  const registry = await loadRegistry(config.connectors, terminal.base);
  // First of all the port: a start that cannot have it should change nothing, and show no token.
  let handle: Handler = () => new Response(null, { status: 503 });
  const rates = createRates({ requests: config.rateLimit, logins: config.loginLimit }, () => performance.now());
  const whose = (authorization: string | undefined) => rates.welcome.whose(digestShown(authorization));
  const listening = await terminal.listen((request, address) => handle(request, address), { ...config, whose }, log);
  const address = `http://${bracketed(config.host)}:${listening.port}`;
  const publicUrl = config.publicUrl ?? address;

  const sftp = config.sftpPort === 0 ? null : { host: config.host, port: config.sftpPort };
  if (sftp !== null) await requireFreePort(sftp);

  await prepareStorage(config);
  for (
    const { path, command } of await readableByOthers([config.dataDir, ...(sftp === null ? [] : [config.sftpDir])])
  ) {
    log("files.readable_by_others", { path, fix: command });
  }
  const memory = isEmbedded(config.databaseUrl) ? createGateMemory() : null;
  const gate = memory === null ? null : createMainGate(memory);
  const { db } = await openDatabase({
    url: config.databaseUrl,
    authToken: config.databaseAuthToken,
    role: "main",
    gate: gate ?? undefined,
  });
  try {
    const keys = await loadKeys(config, db, Date.now());
    const secrets = await openSecrets(keys);
    if (keys.texts.length > 1) await resealAll(db, secrets);
    const organization = await ensureDefaultOrganization(db, Date.now());
    if (config.adminToken !== null) await installAdminToken(db, organization.id, config.adminToken, Date.now());
    const tokenFile = join(config.dataDir, "first-token");
    const firstToken = await ensureFirstToken(db, organization.id, tokenFile, Date.now());

    // Without a server to send them, mails would only wait.
    const mailFrom = config.smtpUrl === null ? null : config.mailFrom;
    const waits = createWaits(db, TOGETHER);
    const runner = startRunner({
      databaseUrl: config.databaseUrl,
      databaseAuthToken: config.databaseAuthToken,
      keys,
      connectors: config.connectors,
      base: terminal.base,
      publicUrl,
      retainDays: config.retainDays,
      allowHosts: config.allowHosts,
      mailFrom,
      gate: memory,
    }, { gate, log, moved: waits.runs.moved });
    // Known to this process alone, and to no other after it.
    const bridgeToken = sftp === null ? null : createTokenText();
    const outbound = createOutbound(parseAllowHosts(config.allowHosts).allow);
    const reader = memory === null ? undefined : createReader(config.databaseUrl, { log });
    const hub: Hub = {
      db,
      reader,
      registry,
      secrets,
      outbound,
      now: Date.now,
      publicUrl,
      packing: sharedPacking,
      decrypt: createDecrypt(),
      openViewer,
      ownBridge: bridgeToken === null ? undefined : { tokenHash: hashToken(bridgeToken) },
      openid: config.openid === null
        ? undefined
        : createOpenId(config.openid, asFetch(outbound), () => performance.now()),
      scrypt: createScrypt(),
      rates,
      inFlight: createInFlight(),
      metrics: createMetrics(Date.now(), readMemory, listening.figures),
      retainDays: config.retainDays,
      mailFrom,
      wake: runner.wake,
      moved: waits.runs.moved,
      waits,
      log,
    };
    const owner = createOwner();
    const mailer = config.smtpUrl === null ? null : startMailer(hub, config.smtpUrl, {
      name: owner.name,
      isGone: memory === null ? undefined : owner.isGone,
    });
    const self = { name: owner.name, isGone: memory === null ? undefined : owner.isGone };
    const database = memory === null ? "remote" : "embedded";
    const courier = startCourier(hub, self, database);
    const fetcher = startFetcher(hub, self, database);
    const app = createApp(hub);
    handle = (request, address) => app.fetch(request, { address });

    const bridge = sftp === null || bridgeToken === null ? null : startOwnBridge({
      ...sftp,
      // Every address of the machine is this one too.
      url: `http://${["0.0.0.0", "::"].includes(config.host) ? "127.0.0.1" : bracketed(config.host)}:${listening.port}`,
      token: bridgeToken,
      name: "the hub's own",
      dir: config.sftpDir,
      address: addressOf(config.sftpAddress, config.publicUrl, config.host),
      quota: config.sftpQuota,
      allowHosts: config.allowHosts,
    }, log);
    const hosted = await bridge?.started;

    // What fails before this ends the process, and says why.
    const endUncaught = terminal.onUncaught((error) => {
      hub.metrics?.countUncaught();
      log("process.uncaught", { error: errorName(error) });
    });
    const asked = new Promise<void>((resolve) => terminal.onInterrupt(resolve));
    const lines = [`Muster is at ${publicUrl}` + (publicUrl === address ? "" : ` (listening at ${address})`)];
    if (firstToken !== null) {
      lines.push(
        terminal.isWatched
          ? `The first token, shown this once and kept in ${tokenFile}: ${firstToken}`
          : `The first token is in ${tokenFile}`,
      );
    }
    if (hosted != null) lines.push(`SFTP is at ${config.host}:${hosted.port}, with the host key ${hosted.fingerprint}`);
    // At once: whoever waits for the first line has the others, too.
    terminal.out(lines.join("\n"));
    await asked;
    log("hub.stopping");
    await bridge?.stop();
    await listening.close();
    await reader?.stop();
    await fetcher.stop();
    await runner.stop();
    await courier.stop();
    await mailer?.stop();
    // What the log had of deleted rows should not outlive the process.
    await db.file?.truncateLog();
    endUncaught();
  } finally {
    db.close();
  }
  log("hub.stopped");
  return DONE;
};

/** As it is written in a URL. */
function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
