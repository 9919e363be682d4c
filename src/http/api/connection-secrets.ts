/** A connection's secrets in requests and answers: they are set by name, and never shown. */
import { connectorFor } from "../../hub.ts";
import type { Context } from "hono";
import { z } from "zod";
import type { Connector } from "../../connector.ts";
import { Fault } from "../../model/errors.ts";
import { parseSettings, prepareSettings } from "../../runs/settings.ts";
import { authOf, destinationsOf, requiredSecrets } from "../../sources/auth.ts";
import { listSecrets, sealSecrets, TOKENS } from "../../store/connections/connection-secrets.ts";
import type { Connection, SecretChanges } from "../../store/connections/connections.ts";
import { toInstant, toInstantOrNull } from "../../std/time.ts";
import type { Env } from "../kit/env.ts";
import { INSTANT } from "../kit/shapes.ts";
import { pointerOf } from "../../std/json-pointer.ts";

const MAX_SECRET = 16 * 1024;

/** Null clears one. */
export const SECRETS = z.record(
  z.string().max(100),
  z.string().min(1, "should not be empty").max(MAX_SECRET, `should have at most ${MAX_SECRET} characters`).nullable(),
).meta({
  id: "SecretsInput",
  description: "By the connector's own names; null clears a secret",
  examples: [{ api_key: "…" }],
});

type Secrets = z.infer<typeof SECRETS>;

/**
 * Fails when the connector has no secrets of these names. `former`: those that the connection has, perhaps of an earlier
 * version of the connector; they can be cleared.
 */
export function checkSecrets(
  connector: Connector<never>,
  input: Secrets | undefined,
  former: readonly string[] = [],
): void {
  const known = Object.keys(connector.secrets ?? {});
  const isKnown = ([name, value]: [string, string | null]) =>
    known.includes(name) || (value === null && former.includes(name));
  const errors = Object.entries(input ?? {}).filter((each) => !isKnown(each)).map(([name]) => ({
    pointer: pointerOf(["secrets", name]),
    detail: known.length === 0 ? "The connector has no secrets" : `should be one of ${known.join(", ")}`,
  }));
  if (errors.length === 0) return;
  throw new Fault("invalid_request", `The connector "${connector.name}" has no such secret: ${errors[0]!.detail}`, {
    errors,
  });
}

/**
 * The changes of the connection's secrets when its settings become `settings` (undefined: they do not change). If
 * secrets would be sent to another host from now on, all are cleared: a change of the address must not reveal a secret.
 */
export async function changeSecrets(
  c: Context<Env>,
  connector: Connector<never>,
  current: Connection,
  settings: Readonly<Record<string, unknown>> | undefined,
  input: Secrets | undefined,
): Promise<SecretChanges> {
  const clear = settings !== undefined &&
    destinationsOf(connector, current.settings) !== destinationsOf(connector, settings);
  return { clear, set: await sealSecrets(c.get("hub").secrets, current.id, input ?? {}) };
}

export const SECRETS_SHOWN = {
  secrets: z.record(
    z.string(),
    z.strictObject({
      set: z.boolean(),
      updated_at: INSTANT.nullable(),
      former: z.boolean().optional().meta({ description: "The connector does not have it; it can be cleared" }),
    }),
  )
    .meta({ examples: [{ api_key: { set: true, updated_at: "2026-03-02T08:00:00.000Z" } }] }),
  secrets_required: z.array(z.string())
    .meta({ description: "Required secrets that are not set", examples: [[]] }),
  authorized_at: INSTANT.nullable().meta({
    description: "When access was granted, or last renewed",
    examples: [null],
  }),
};
type Shown = { [name in keyof typeof SECRETS_SHOWN]: z.infer<(typeof SECRETS_SHOWN)[name]> };

/** Loads which secrets these connections have; gives what an answer shows of each connection's. */
export async function loadShownSecrets(
  c: Context<Env>,
  connections: readonly Connection[],
): Promise<(connection: Connection) => Shown> {
  const { db, registry } = c.get("hub");
  const set = await listSecrets(db, connections);
  await Promise.all(connections.map((connection) => {
    const installed = connectorFor(registry, connection);
    return installed === undefined ? null : prepareSettings(installed, connection.settings);
  }));
  return (connection) => {
    const connector = connectorFor(registry, connection);
    const mine = set.get(connection.id) ?? new Map<string, number>();
    const known = Object.keys(connector?.secrets ?? {});
    const names = new Set([...known, ...namedSecrets(mine)]);
    const isFormer = (name: string) => connector !== undefined && !known.includes(name);
    const secrets = [...names].map((name) => [
      name,
      {
        set: mine.has(name),
        updated_at: toInstantOrNull(mine.get(name) ?? null),
        ...isFormer(name) ? { former: true } : {},
      },
    ]);
    return {
      secrets: Object.fromEntries(secrets),
      secrets_required: connector === undefined ? [] : lackingSecrets(connector, connection.settings, mine),
      authorized_at: mine.has(TOKENS) ? toInstant(mine.get(TOKENS)!) : null,
    };
  };
}

/** The names of the secrets that are set, also of those that the connector does not have any more. */
function namedSecrets(set: ReadonlyMap<string, number>): string[] {
  return [...set.keys()].filter((name) => name !== TOKENS);
}

/** The names of the secrets that the connection has. */
export async function storedSecrets(c: Context<Env>, connection: Connection): Promise<string[]> {
  const set = await listSecrets(c.get("hub").db, [connection]);
  return namedSecrets(set.get(connection.id) ?? new Map());
}

/** The names of missing secrets. `authorization` means that an admin has yet to grant access at the source. */
export function lackingSecrets(
  connector: Connector<never>,
  settings: Readonly<Record<string, unknown>>,
  set: ReadonlyMap<string, number>,
): string[] {
  try {
    const parsed = parseSettings(connector, settings);
    const names = requiredSecrets(connector, parsed).filter((name) => !set.has(name));
    return authOf(connector, parsed).kind === "oauth2" && !set.has(TOKENS) ? [...names, "authorization"] : names;
  } catch (error) {
    // Settings that only an older version of the connector accepts do not show what is needed.
    if (error instanceof Fault) return [];
    throw error;
  }
}
