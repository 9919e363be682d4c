/** The connector that the laws are tried with: loaded as the hub loads those of others, in a child. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { dirname } from "node:path";
import type { Installed } from "../../hub.ts";
import type { Entity } from "../../model/record.ts";
import { bundleConnector } from "../../runtime/sandbox/bundle.ts";
import { startChild } from "../../runtime/sandbox/child.ts";
import { findDeno } from "../../runtime/sandbox/deno-program.ts";
import { loadIsolated } from "../../runtime/sandbox/isolated.ts";
import type { Limits } from "../../runtime/sandbox/protocol.ts";
import { parseSettings, prepareSettings } from "../../runs/settings.ts";
import type { Cases, Expected } from "./cases.ts";
import { createKeptChild } from "./kept-child.ts";
import { recordsOf } from "./records.ts";
import { type Read, readOnce, type ReadOptions } from "./read.ts";
import { reachingModules, spiedCode } from "./spied-code.ts";
import { mainEntity, type Tried } from "./tried.ts";

export interface Subject extends Tried {
  /** Modules that it imports and should not. */
  readonly reaching: readonly string[];
  /** The entities whose records the cases give. */
  readonly entities: readonly Entity[];
  expected(entity: Entity): Expected;
  read(options?: Partial<ReadOptions>): Promise<Read>;
  /** A read of the source as it is. Made once; fails if that fails. */
  whole(entity?: Entity): Promise<Read>;
  /** What the hub makes of the rows of a read, by its fields. */
  records(read: Read, entity?: Entity): Promise<Record<string, unknown>[]>;
  /** The same connector in children of its own. */
  apart(limits: Partial<Limits>): Promise<Subject>;
}

/** A connector that does nothing is not waited for as long as by a hub. */
const LIMITS: Partial<Limits> = { idleMs: 20_000 };

/** `module`: path or `file:` URL. Fails with `unprocessable` or `connector_failed` if the hub would not load it. */
export async function loadSubject(module: string | URL, cases: Cases): Promise<Subject> {
  const deno = findDeno();
  assert.ok(deno !== null, 'Connectors run in Deno, which is not here: install the npm package "deno"');
  const path = pathOf(module);
  const bundle = await bundleConnector(path, dirname(path));
  const spied = { ...bundle, code: spiedCode(bundle.code) };
  const load = async (limits: Partial<Limits>, start: typeof startChild) =>
    await subjectOf(await loadIsolated(spied, { deno, limits, start, keptMs: 0 }), limits);

  async function subjectOf(connector: Installed, limits: Partial<Limits>): Promise<Subject> {
    await prepareSettings(connector, cases.settings);
    const wholes = new Map<Entity, Promise<Read>>();
    const subject: Subject = {
      connector,
      cases,
      get settings() {
        return parseSettings(connector, cases.settings);
      },
      reaching: reachingModules(bundle.code),
      entities: [
        ...(cases.records === undefined ? [] : ["users" as const]),
        ...(cases.departments === undefined ? [] : ["departments" as const]),
      ],
      expected: (entity) => (entity === "users" ? cases.records : cases.departments) ?? [],
      read: (options = {}) => readOnce(subject, { entity: mainEntity(subject), ...options }),
      whole(entity = mainEntity(subject)) {
        const found = wholes.get(entity) ?? subject.read({ entity });
        wholes.set(entity, found);
        return found.then((read) => {
          assert.equal(read.fault, null, `The source of the cases cannot be read: ${read.fault?.message}`);
          return read;
        });
      },
      records: (read, entity = mainEntity(subject)) => recordsOf(subject, read, entity),
      apart: (more) => load({ ...limits, ...more }, startChild),
    };
    return subject;
  }
  return await load(LIMITS, createKeptChild());
}

export function pathOf(module: string | URL): string {
  return module instanceof URL || module.startsWith("file:") ? fileURLToPath(module) : module;
}
