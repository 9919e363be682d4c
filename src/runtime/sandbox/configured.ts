/**
 * What a connector of others makes of settings, kept: its child is asked once for each, and its functions of settings then
 * answer from here, as those of a connector in this process do.
 */
import { isObject } from "../../std/is-object.ts";

/** What a child says about settings: what its schema gave, and what follows from valid ones. */
export interface Configured {
  /** As the schema gave it, which may be anything; it should be `{value}` or `{issues}`. */
  readonly result?: unknown;
  /** The schema gave a promise. */
  readonly late?: true;
  /** With URLs where the connector has functions that make them. */
  readonly auth?: Readonly<Record<string, unknown>>;
  readonly hosts?: unknown;
  readonly requiredSecrets?: unknown;
}

/** `error`: what the child failed with. */
export type Kept = { readonly made: Configured } | { readonly error: unknown };

const MAX_KEPT = 1_000;
/** A child that fails may take its whole time for it, so it is not asked again at once. */
const ERROR_KEPT_MS = 30_000;

/** `ask`: asks a child for each of these settings, and keeps what comes of it. Never fails. */
export function createConfigured(
  ask: (all: readonly unknown[], keep: (stored: unknown, found: Kept) => void) => Promise<void>,
) {
  /** `until`: when it is asked for again, by the monotonic clock. */
  const kept = new Map<string, Kept & { readonly until: number }>();
  const pending = new Map<string, Promise<void>>();
  /** By the settings that were given out. */
  const bySettings = new WeakMap<object, Configured>();

  function keep(stored: unknown, found: Kept): void {
    if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value!);
    const until = "error" in found ? performance.now() + ERROR_KEPT_MS : Infinity;
    kept.set(JSON.stringify(stored), { ...found, until });
    const settings = "made" in found ? (found.made.result as { value?: unknown } | null | undefined)?.value : undefined;
    if ("made" in found && typeof settings === "object" && settings !== null) bySettings.set(settings, found.made);
  }

  function validate(stored: unknown): unknown {
    const found = kept.get(JSON.stringify(stored));
    if (found === undefined) throw new Error("These settings have not been prepared");
    if ("error" in found) throw found.error;
    return found.made.late === true ? Promise.resolve() : found.made.result;
  }

  return {
    /** Never fails: what the child failed with is thrown where the settings are used. */
    async prepare(all: readonly unknown[]): Promise<void> {
      const known = (key: string) => performance.now() < (kept.get(key)?.until ?? -Infinity);
      const keys = all.map((stored) => JSON.stringify(stored));
      const missing = all.filter((_, i) => !known(keys[i]!) && !pending.has(keys[i]!));
      if (missing.length > 0) {
        const loading = ask(missing, keep);
        for (const stored of missing) {
          const key = JSON.stringify(stored);
          pending.set(key, loading.finally(() => pending.delete(key)));
        }
      }
      await Promise.all(keys.map((key) => pending.get(key)));
    },
    /** The schema, and those of the functions of settings that the connector has. */
    functions(has: readonly string[]): Readonly<Record<string, unknown>> {
      const of = (settings: object) => bySettings.get(settings);
      const all: Readonly<Record<string, unknown>> = {
        auth: (settings: object) => withUrls(of(settings)?.auth),
        hosts: (settings: object) => of(settings)?.hosts,
        requiredSecrets: (settings: object) => of(settings)?.requiredSecrets,
      };
      return {
        settings: { "~standard": { version: 1, vendor: "muster", validate } },
        ...Object.fromEntries(Object.entries(all).filter(([name]) => has.includes(name))),
      };
    },
  };
}

/** `auth`: what a child gave, which may be anything. */
function withUrls(auth: unknown = { kind: "none" }): unknown {
  if (!isObject(auth)) return auth;
  return Object.fromEntries(
    Object.entries(auth).map(([name, value]) => [name, name.endsWith("Url") ? () => value : value]),
  );
}
