/**
 * Resolves a connector's `auth` for one connection: which secrets it needs, where they are sent, and the headers that they
 * make. No I/O, no clock.
 */
import type { Auth, Connector, Credential } from "../connector.ts";
import { Fault } from "../model/errors.ts";

/** A connector with settings of any type, which come from `parseSettings`. */
export type AnyConnector = Connector<never>;

/** Parses the stored settings with the connector's schema. Fails with `source_misconfigured`. */
export function parseSettings(connector: AnyConnector, stored: Readonly<Record<string, unknown>>): never {
  const result = connector.settings.safeParse(stored);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new Fault("source_misconfigured", `The connection's setting "${path.join(".")}" cannot be used: ${message}`);
}

export function authOf(connector: AnyConnector, settings: never): Auth<never> {
  return connector.auth?.(settings) ?? { kind: "none" };
}

/** Names of the secrets without which the source cannot be read. */
export function requiredSecrets(connector: AnyConnector, settings: never): string[] {
  if (connector.requiredSecrets !== undefined) return [...connector.requiredSecrets(settings)];
  return credentialsOf(authOf(connector, settings)).flatMap((part) => "secret" in part ? [part.secret] : []);
}

function credentialsOf(auth: Auth<never>): Credential[] {
  switch (auth.kind) {
    case "none":
      return [];
    case "basic":
      return [auth.username, auth.password];
    case "bearer":
      return [auth.token];
    case "header":
      return [auth.value];
    case "oauth2":
      return [auth.clientId, auth.clientSecret];
  }
}

/**
 * All hosts and URLs that the connection's secrets are sent to, as text that can be compared; null: the settings are not
 * valid, so it is not known.
 */
export function destinationsOf(connector: AnyConnector, stored: Readonly<Record<string, unknown>>): string | null {
  const result = connector.settings.safeParse(stored);
  if (!result.success) return null;
  const settings = result.data as never;
  const auth = authOf(connector, settings);
  const urls = auth.kind === "oauth2" ? [auth.authorizationUrl(settings), auth.tokenUrl(settings)] : [];
  return JSON.stringify([[...connector.hosts?.(settings) ?? []].sort(), urls]);
}

/** One part of the credentials. Fails with `secrets_required` or `source_misconfigured` if it is missing. */
export function credential(
  part: Credential,
  settings: Readonly<Record<string, unknown>>,
  secrets: Readonly<Record<string, string>>,
): string {
  if ("text" in part) return part.text;
  if ("secret" in part) {
    if (Object.hasOwn(secrets, part.secret)) return secrets[part.secret]!;
    throw new Fault("secrets_required", `The secret "${part.secret}" of the connection is not set; set it`);
  }
  const value = settings[part.setting];
  if (typeof value === "string" && value !== "") return value;
  throw new Fault("source_misconfigured", `The connection's setting "${part.setting}" is not set; its source needs it`);
}

/** The headers that authorize a request; null for `oauth2`, whose tokens change. */
export function authHeaders(
  auth: Auth<never>,
  settings: Readonly<Record<string, unknown>>,
  secrets: Readonly<Record<string, string>>,
): Record<string, string> | null {
  const part = (each: Credential) => credential(each, settings, secrets);
  switch (auth.kind) {
    case "none":
      return {};
    case "basic":
      return { authorization: `Basic ${toBase64(`${part(auth.username)}:${part(auth.password)}`)}` };
    case "bearer":
      return { authorization: `Bearer ${part(auth.token)}` };
    case "header":
      return { [auth.name.toLowerCase()]: part(auth.value) };
    case "oauth2":
      return null;
  }
}

/** In UTF-8 (RFC 7617). */
function toBase64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
