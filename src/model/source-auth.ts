/** How requests to a source are authorized, as data. Types, and the list of kinds. */

/** One part of the credentials: a secret or a setting of the connection by name, or a constant text. */
export type Credential = { readonly secret: string } | { readonly setting: string } | { readonly text: string };

/** How the hub, as a client, gets tokens from a token endpoint, whose host is among the connector's `hosts`. */
interface TokenRequest<Settings> {
  readonly scopes: readonly string[];
  tokenUrl(settings: Settings): string;
}

/** What a client authenticates with at the token endpoint: in the form (`post`, the default) or by header. */
interface ClientSecret {
  readonly clientId: Credential;
  readonly clientSecret: Credential;
  readonly clientAuth?: "post" | "basic";
}

/**
 * How requests are authorized. The hub holds the secrets and adds them to each request; the connector never sees them.
 *
 * `oauth2` is the authorization code grant with PKCE (RFC 6749, RFC 7636): an admin authorizes the connection once in a
 * browser, and the hub stores and renews the tokens. `client_credentials` (RFC 6749, section 4.4) and `jwt_bearer` (RFC
 * 7523, section 2.1; service accounts) need no person: the hub asks for a token when it needs one, uses it until it
 * expires, and asks once more when the source refuses it.
 */
export type Auth<Settings = unknown> =
  | { readonly kind: "none" }
  | { readonly kind: "basic"; readonly username: Credential; readonly password: Credential }
  | { readonly kind: "bearer"; readonly token: Credential }
  | { readonly kind: "header"; readonly name: string; readonly value: Credential }
  | { readonly kind: "oauth2" } & ClientSecret & TokenRequest<Settings> & {
    authorizationUrl(settings: Settings): string;
  }
  | { readonly kind: "client_credentials" } & ClientSecret & TokenRequest<Settings> & {
    /** Sent besides, such as `audience` or `resource`. */
    readonly parameters?: Readonly<Record<string, string>>;
  }
  | { readonly kind: "jwt_bearer" } & Partial<ClientSecret> & TokenRequest<Settings> & {
    /** `iss`, and `sub`, by default the same. */
    readonly issuer: Credential;
    readonly subject?: Credential;
    /** `aud`; by default, the token URL. */
    readonly audience?: string;
    /** Signs the assertion: PKCS#8 in PEM. */
    readonly privateKey: Credential;
    /** `RS256` by default. */
    readonly algorithm?: "RS256" | "RS384" | "RS512" | "PS256" | "ES256" | "ES384" | "EdDSA";
    /** `kid` of the assertion's header. */
    readonly keyId?: Credential;
    /** More claims, such as Box's `box_sub_type`. Scopes are sent both as a claim and in the form. */
    readonly claims?: Readonly<Record<string, string>>;
  };

/** The kinds of Auth. */
export const AUTH_KINDS = [
  "none",
  "basic",
  "bearer",
  "header",
  "oauth2",
  "client_credentials",
  "jwt_bearer",
] as const satisfies readonly Auth["kind"][];
