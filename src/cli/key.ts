/**
 * `muster key rotate`: makes a new master key and seals every stored secret with it.
 *
 * If it is killed half-way and run again, all secrets end up under one key. The previous key stays in the file until the
 * next rotation, because a hub that is still running uses it until it is restarted.
 */
import { loadConfig } from "../runtime/config.ts";
import { prepareStorage } from "../runtime/first-start.ts";
import { openDatabase } from "../runtime/database.ts";
import { loadKeys, masterKeyFile, openSecrets, readKeys, replaceKeys } from "../runtime/master-key.ts";
import { Fault } from "../model/errors.ts";
import { createMasterKeyText, masterKeyId } from "../security/secrets.ts";
import { currentKeyId, resealAll } from "../store/connections/sealed.ts";
import { DONE } from "../runtime/command.ts";
import { defineCommand } from "./command.ts";
import { createWaiting, leaveNoLog } from "./open-hub.ts";

export const rotateKey = defineCommand({
  name: "key rotate",
  summary: "Makes a new master key, and seals every stored secret with it",
  options: {},
  run: async (_, terminal) => {
    const config = loadConfig(terminal.env, (line) => terminal.err(`${line}\n`));
    if (config.masterKeys.length === 1) {
      throw new Fault(
        "invalid_request",
        "MUSTER_MASTER_KEY_PREVIOUS is not set: it should be the current key, and MUSTER_MASTER_KEY the new one",
      );
    }
    const onRetry = createWaiting(terminal);
    await prepareStorage(config, { onRetry, say: (line) => terminal.err(`${line}\n`) });
    const { databaseUrl: url, databaseAuthToken: authToken } = config;
    const { db } = await openDatabase({ url, authToken, role: "alone", onRetry });
    try {
      const before = await currentKeyId(db);
      if (config.masterKeys.length === 0 && before !== null) await addKey(masterKeyFile(config), before);
      const source = await loadKeys(config, db, Date.now());
      const resealed = await resealAll(db, await openSecrets(source));
      // All secrets are under the first key now; the second one is for hubs that still run with it.
      if (source.file !== null) await replaceKeys(source.file, source.texts.slice(0, 2));
      const secrets = resealed === 1 ? "1 secret was" : `${resealed} secrets were`;
      terminal.out(`The master key is "${await currentKeyId(db)}" now; ${secrets} sealed again. Restart running hubs`);
    } finally {
      await leaveNoLog(db);
    }
    return DONE;
  },
});

/** Adds a new key before those in the file, unless an earlier rotation that was interrupted has done so. */
async function addKey(file: string, stored: string): Promise<void> {
  const texts = await readKeys(file).catch((error) => {
    if ((error as { code?: string }).code === "ENOENT") return [];
    throw error;
  });
  if (texts.length > 0 && await masterKeyId(texts[0]!) === stored) {
    await replaceKeys(file, [createMasterKeyText(), ...texts]);
  }
}
