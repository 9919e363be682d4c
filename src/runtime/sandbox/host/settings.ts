/** What a connector is, and what it makes of settings. */

export type AnyFunction = (...given: unknown[]) => unknown;
/** The default export of a connector's module. */
export type Loaded = Record<string, unknown>;

/** What is data, and the names of what is not. */
export function describe(connector: Loaded): unknown {
  const data: Record<string, unknown> = {}, functions: string[] = [];
  for (const [name, value] of Object.entries(connector)) {
    if (typeof value === "function") functions.push(name);
    else if (name !== "settings") data[name] = value;
  }
  const standard = (connector.settings as Loaded | undefined)?.["~standard"] as Loaded | undefined;
  const hasSchema = standard?.version === 1 && typeof standard.validate === "function";
  return { data, functions, hasSchema, settingsSchema: settingsSchema(connector) };
}

/** As JSON Schema; null: neither the connector nor the library of its schema gives one. */
function settingsSchema(connector: Loaded): unknown {
  if (connector.settingsJsonSchema !== undefined) return connector.settingsJsonSchema;
  const settings = connector.settings as Record<string, unknown> | undefined;
  const standard = settings?.["~standard"] as { jsonSchema?: { input?: AnyFunction } } | undefined;
  if (typeof standard?.jsonSchema?.input === "function") return standard.jsonSchema.input({ target: "draft-2020-12" });
  return typeof settings?.toJSONSchema === "function" ? settings.toJSONSchema({ io: "input" }) : null;
}

/** The settings as the connector reads them, and what follows from them; or what is wrong with them. */
export function configure(connector: Loaded, given: unknown): unknown {
  const schema = connector.settings as { "~standard": { validate: AnyFunction } };
  const result = within("settings", () => schema["~standard"].validate(given)) as Loaded | null;
  if (result instanceof Promise) return { late: true };
  if (Array.isArray(result?.issues)) return { result: { issues: result.issues.slice(0, 100).map(issueOf) } };
  const settings = result?.value;
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) return { result };
  const from = (name: string) =>
    within(name, () => (connector[name] as AnyFunction | undefined)?.call(connector, settings));
  const auth = from("auth") as Loaded | undefined;
  return {
    result: { value: settings },
    auth: within("auth", () => authOf(auth, settings)),
    hosts: from("hosts"),
    requiredSecrets: from("requiredSecrets"),
  };
}

/** Runs a function of the connector, and notes on its error which one it was. */
function within<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw Object.assign(error instanceof Error ? error : new Error(), { within: name });
  }
}

function issueOf(issue: unknown): unknown {
  const { message, path = [] } = issue as { message: string; path?: readonly unknown[] };
  return { message, path: path.map((part) => typeof part === "object" ? (part as { key: unknown }).key : part) };
}

/** The connector's functions of URLs become the URLs. */
function authOf(auth: Loaded | undefined, settings: unknown): unknown {
  if (auth === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(auth).map(([name, value]) => [name, typeof value === "function" ? value(settings) : value]),
  );
}
