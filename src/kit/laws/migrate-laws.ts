/** Laws about what a version makes of what earlier ones have stored with a connection. */
import assert from "node:assert/strict";
import type { Stored } from "../../connector.ts";
import { Fault } from "../../model/errors.ts";
import { migrateSettings } from "../../runs/migrate.ts";
import { textOfState } from "../../sources/fetch-progress.ts";
import { compareVersions } from "../../std/semver.ts";
import type { Cases, Upgrade } from "./cases.ts";
import { assertTaken } from "./compare.ts";
import type { Law } from "./law.ts";
import { problemsOf } from "./shape-laws.ts";
import type { Subject } from "./subject.ts";

const hasUpgrades = ({ upgrade = [] }: Cases): boolean => upgrade.length > 0;

export const MIGRATE_LAWS: readonly Law[] = [
  {
    name: "settings of earlier versions become those of the cases",
    applies: hasUpgrades,
    async hold({ connector, cases }) {
      for (const { from, to } of cases.upgrade ?? []) {
        const { version } = connector;
        assert.ok(compareVersions(from.version, version) < 0, `${from.version} is no version before ${version}`);
        const made = await migrated({ connector }, from);
        if (made instanceof Fault) assert.fail(`${from.version}: ${made.message}`);
        assert.deepEqual(made, to, `settings of version ${from.version} become others`);
      }
    },
  },
  {
    name: "it takes the settings that it has migrated",
    applies: hasUpgrades,
    async hold(subject) {
      for (const { from, made } of await allMigrated(subject)) {
        const places = await problemsOf(subject, made);
        assert.deepEqual(
          places,
          [],
          `settings of version ${from.version} become some that it refuses, at these places`,
        );
      }
    },
  },
  {
    name: "settings that were migrated stay as they are when they are migrated again",
    applies: hasUpgrades,
    async hold(subject) {
      for (const { from, made } of await allMigrated(subject)) {
        const again = await migrated(subject, { version: subject.connector.version, value: made });
        if (again instanceof Fault) assert.fail(`${from.version}, a second time: ${again.message}`);
        assert.deepEqual(again, made, `settings of version ${from.version} become others the second time`);
      }
    },
  },
  {
    name: "a state of an earlier version is given up, or taken up by its fetch",
    applies: ({ upgrade = [], source }) => source !== undefined && upgrade.some(({ state }) => state !== undefined),
    async hold(subject, skip) {
      if (subject.connector.migrateState === undefined) return skip("without migrateState its source is read anew");
      for (const { from: { version }, state } of subject.cases.upgrade ?? []) {
        if (state === undefined) continue;
        const made = await orFault(() =>
          subject.connector.isolated!.migrate({ what: "migrateState", from: { version, value: state } })
        );
        if (made instanceof Fault) assert.fail(`a state of version ${version}: ${made.message}`);
        if (made === null) continue;
        textOfState(made);
        await assertTaken(subject, made, `a state of version ${version} is given as checkpoint.last`);
      }
    },
  },
];

/** What becomes of the settings of the cases; without those whose migration fails. */
async function allMigrated(subject: Subject): Promise<(Pick<Upgrade, "from"> & { made: unknown })[]> {
  const all = [];
  for (const { from } of subject.cases.upgrade ?? []) {
    const made = await migrated(subject, from);
    if (!(made instanceof Fault)) all.push({ from, made });
  }
  return all;
}

async function migrated({ connector }: Pick<Subject, "connector">, from: Stored<unknown>): Promise<unknown> {
  return await orFault(async () =>
    (await migrateSettings(connector, from as Stored<Record<string, unknown>>)).settings
  );
}

/** What a connector does wrong names its file and line. */
async function orFault<T>(work: () => Promise<T>): Promise<T | Fault> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}
