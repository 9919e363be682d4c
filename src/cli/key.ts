/**
 * `muster key rotate`: another master key, and every stored secret sealed with it.
 *
 * Killed half-way and run again, it ends with all of them under one key. The earlier key stays in the file until the
 * next rotation: a hub that still runs with it may go on sealing until it is started again.
 */
import { loadConfig } from "../runtime/settings.ts";
import { prepareStorage } from "../runtime/first-start.ts";
import { openDatabase } from "../runtime/database.ts";
import { loadKeys, masterKeyFile, openSecrets, readKeys, replaceKeys } from "../runtime/master-key.ts";
import { Fault } from "../model/errors.ts";
import { createMasterKeyText, masterKeyId } from "../security/secrets.ts";
import { currentKeyId, resealAll } from "../store/connections/sealed.ts";
import { type Command, DONE, readArgs } from "../runtime/command.ts";

export const rotateKey: Command = async (args, terminal) => {
  readArgs(args, {});
  const config = loadConfig(terminal.env, (line) => terminal.err(`${line}\n`));
  if (config.masterKeys.length === 1) {
    throw new Fault(
      "invalid_request",
      "MUSTER_MASTER_KEY_PREVIOUS is not set: it should be the key until now, and MUSTER_MASTER_KEY the new one",
    );
  }
  await prepareStorage(config);
  const { db } = await openDatabase({ url: config.databaseUrl, authToken: config.databaseAuthToken, role: "alone" });
  try {
    const before = await currentKeyId(db);
    if (config.masterKeys.length === 0 && before !== null) await addKey(masterKeyFile(config), before);
    const source = await loadKeys(config, db, Date.now());
    const resealed = await resealAll(db, await openSecrets(source));
    // All is under the first key now; the second one is for who still runs with it.
    if (source.file !== null) await replaceKeys(source.file, source.texts.slice(0, 2));
    terminal.out(
      `The id of the master key is "${await currentKeyId(db)}" now; ${resealed} ${
        resealed === 1 ? "secret was" : "secrets were"
      } ` +
        "sealed again. Start hubs that are running again",
    );
  } finally {
    db.close();
  }
  return DONE;
};

/** Puts a new key before those in the file, unless an earlier rotation has put one there and got no further. */
async function addKey(file: string, stored: string): Promise<void> {
  const texts = await readKeys(file).catch((error) => {
    if ((error as { code?: string }).code === "ENOENT") return [];
    throw error;
  });
  if (texts.length > 0 && await masterKeyId(texts[0]!) === stored) {
    await replaceKeys(file, [createMasterKeyText(), ...texts]);
  }
}
