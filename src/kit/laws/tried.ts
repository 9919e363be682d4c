/** A connector together with the cases that it is tried with. */
import assert from "node:assert/strict";
import type { Installed } from "../../hub.ts";
import type { Entity } from "../../model/record.ts";
import type { Connection } from "../../store/connections/connections.ts";
import { type Handler, playTape } from "../tape.ts";
import type { Cases, Played } from "./cases.ts";

export interface Tried {
  readonly connector: Installed;
  readonly cases: Cases;
  /** Of the cases, as the connector's schema gives them. Fails for settings that it refuses. */
  readonly settings: never;
}

/** The day of all laws. */
export const TODAY = "2026-03-02";

/** What the connector reads first of all. */
export function mainEntity({ connector }: Pick<Tried, "connector">): Entity {
  return connector.coverage.users === undefined ? "departments" : "users";
}

/** A source from its beginning. */
export function playerOf(source: Played | undefined): Handler {
  assert.ok(source !== undefined, 'The cases have no "source"');
  return typeof source === "function" ? source : playTape(source);
}

/** Of a connection, what reading needs. */
export function connectionOf({ settings }: Cases): Connection {
  return { settings, mapping: {}, preset: "default", policy: {}, baseline: {} } as unknown as Connection;
}
