/** What a version of a connector makes of what an earlier one has stored with a connection. */
import type { Stored } from "../connector.ts";
import type { Installed, MigrationAsk } from "../hub.ts";
import { Fault } from "../model/errors.ts";
import { compareVersions } from "../std/semver.ts";
import { isObject } from "../std/is-object.ts";

/** Settings as an upgrade leaves them, and the secrets that get another name: old → new. */
export interface Migrated {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, string>>;
}

/** Fails with `connector_failed` when the connector's function throws, or gives something else. */
export async function migrateSettings(
  connector: Installed,
  from: Stored<Readonly<Record<string, unknown>>>,
): Promise<Migrated> {
  if (connector.migrateSettings === undefined) return { settings: from.value, secrets: {} };
  const made = await ask(connector, "migrateSettings", from);
  if (!isObject(made) || !isObject(made.settings)) {
    throw failed(connector, '"migrateSettings" should give { settings, secrets }');
  }
  const { secrets = {} } = made;
  if (!isObject(secrets) || Object.values(secrets).some((name) => typeof name !== "string")) {
    throw failed(connector, '"migrateSettings" should give "secrets" as old name → new name');
  }
  for (const name of Object.values(secrets) as string[]) {
    if (Object.hasOwn(connector.secrets ?? {}, name)) continue;
    throw failed(connector, `"migrateSettings" names the secret "${name}", which is not among its "secrets"`);
  }
  return { settings: made.settings, secrets: secrets as Record<string, string> };
}

/**
 * The state for this version of the connector; null: the source is read anew. A state of the same version is as it was, and
 * one of a later version, or of an unknown one (null), is never used.
 */
export async function migrateState(
  connector: Installed,
  { version, value }: { readonly version: string | null; readonly value: unknown },
): Promise<unknown> {
  if (version === connector.version) return value;
  if (version === null || connector.migrateState === undefined) return null;
  if (compareVersions(version, connector.version) > 0) return null;
  return await ask(connector, "migrateState", { version, value }).catch(() => null) ?? null;
}

async function ask(connector: Installed, what: MigrationAsk["what"], from: Stored<unknown>): Promise<unknown> {
  if (connector.isolated !== undefined) return await connector.isolated.migrate({ what, from });
  try {
    return connector[what]!(structuredClone(from));
  } catch (cause) {
    const name = cause instanceof Error ? cause.name : typeof cause;
    throw failed(connector, `"${what}" throws (${name})`, cause);
  }
}

function failed({ title }: Installed, what: string, cause?: unknown): Fault {
  return new Fault("connector_failed", `The connector "${title}" has an error of its own: ${what}`, { cause });
}
