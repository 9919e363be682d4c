/**
 * What a connector of others makes of settings, kept: its child is asked once for each, and its functions of settings then
 * answer from here, as those of a connector in this process do.
 */
import type { SettingsIssue } from "../../runs/settings.ts";

/** What a child says about settings: what is wrong with them, or what follows from them. */
export type Configured =
  | { readonly issues: readonly SettingsIssue[] }
  | {
    readonly issues?: undefined;
    readonly settings: Readonly<Record<string, unknown>>;
    /** With URLs where the connector has functions that make them. */
    readonly auth?: Readonly<Record<string, unknown>>;
    readonly hosts?: unknown;
    readonly requiredSecrets?: unknown;
  };

type Kept = { readonly made: Configured } | { readonly error: unknown };

const MAX_KEPT = 1_000;

export function createConfigured(ask: (stored: unknown) => Promise<Configured>) {
  const kept = new Map<string, Kept>();
  const pending = new Map<string, Promise<void>>();
  /** By the settings that were given out. */
  const bySettings = new WeakMap<object, Exclude<Configured, { issues: readonly SettingsIssue[] }>>();

  async function load(key: string, stored: unknown): Promise<void> {
    const found: Kept = await ask(stored).then((made) => ({ made }), (error) => ({ error }));
    if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value!);
    kept.set(key, found);
    if ("made" in found && found.made.issues === undefined && isObject(found.made.settings)) {
      bySettings.set(found.made.settings, found.made);
    }
  }

  function validate(stored: unknown): unknown {
    const found = kept.get(JSON.stringify(stored));
    if (found === undefined) throw new Error("These settings have not been prepared");
    if ("error" in found) throw found.error;
    return found.made.issues === undefined ? { value: found.made.settings } : { issues: found.made.issues };
  }

  return {
    /** Never fails: what the child failed with is thrown where the settings are used, and asked for again the next time. */
    async prepare(stored: unknown): Promise<void> {
      const key = JSON.stringify(stored), found = kept.get(key);
      if (found !== undefined && "made" in found) return;
      let loading = pending.get(key);
      if (loading === undefined) {
        loading = load(key, stored).finally(() => pending.delete(key));
        pending.set(key, loading);
      }
      await loading;
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

function withUrls(auth: Readonly<Record<string, unknown>> = { kind: "none" }): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(auth).map(([name, value]) => [name, name.endsWith("Url") ? () => value : value]),
  );
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
