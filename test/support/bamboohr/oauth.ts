/** OAuth 2.0 of the fake: a consent that is given at once, codes that work once, tokens that end, refresh tokens that may change. */
import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { sendJson } from "./answer.ts";
import type { Access } from "./company.ts";

export interface OAuth {
  readonly clientId: string;
  readonly clientSecret: string;
  /** The clock that tokens end by. */
  now: () => number;
  /** Seconds that an access token is good for. */
  expiresIn: number;
  /** Whether a refresh makes a new refresh token, and ends the old one. */
  rotates: boolean;
  /** How often a token was refreshed. */
  refreshed: number;
  /** Ends every token that was given so far. */
  revoke(): void;
  authorize(response: ServerResponse, query: URLSearchParams): void;
  token(response: ServerResponse, body: string, contentType: string): void;
  /** What the token may see; null: it is none, or has ended. */
  accessOf(token: string): Access | null;
}

export function createOAuth(access: Access, subdomain: string): OAuth {
  const codes = new Map<string, { redirectUri: string; scope: string }>();
  const refreshTokens = new Map<string, string>();
  const tokens = new Map<string, { until: number }>();
  const text = () => randomBytes(20).toString("hex");

  function give(response: ServerResponse, scope: string, refreshToken: string | null): void {
    const token = text();
    tokens.set(token, { until: oauth.now() + oauth.expiresIn * 1000 });
    sendJson(response, {
      access_token: token,
      expires_in: oauth.expiresIn,
      token_type: "Bearer",
      scope,
      companyDomain: subdomain,
      ...(refreshToken === null ? {} : { refresh_token: refreshToken }),
    });
  }

  const oauth: OAuth = {
    clientId: "developer_portal-muster",
    clientSecret: text(),
    now: Date.now,
    expiresIn: 3600,
    rotates: false,
    refreshed: 0,
    revoke() {
      tokens.clear();
      refreshTokens.clear();
    },
    authorize(response, query) {
      const redirectUri = query.get("redirect_uri") ?? "";
      const isRight = query.get("request") === "authorize" && query.get("response_type") === "code" &&
        query.get("client_id") === oauth.clientId && URL.canParse(redirectUri);
      if (!isRight) return void response.writeHead(400).end();
      const code = text();
      codes.set(code, { redirectUri, scope: query.get("scope") ?? "" });
      const back = new URL(redirectUri);
      back.searchParams.set("code", code);
      back.searchParams.set("state", query.get("state") ?? "");
      response.writeHead(302, { location: back.href }).end();
    },
    token(response, body, contentType) {
      const said = contentType.startsWith("application/json")
        ? new Map(Object.entries(JSON.parse(body) as Record<string, string>))
        : new Map(new URLSearchParams(body));
      const failed = (error: string) => sendJson(response, { error }, error === "invalid_client" ? 401 : 400);
      if (said.get("client_id") !== oauth.clientId || said.get("client_secret") !== oauth.clientSecret) {
        return failed("invalid_client");
      }
      if (said.get("grant_type") === "authorization_code") {
        const code = codes.get(said.get("code") ?? "");
        codes.delete(said.get("code") ?? "");
        if (code === undefined || code.redirectUri !== said.get("redirect_uri")) return failed("invalid_grant");
        let refreshToken: string | null = null;
        if (code.scope.split(" ").includes("offline_access")) refreshTokens.set(refreshToken = text(), code.scope);
        return give(response, code.scope, refreshToken);
      }
      if (said.get("grant_type") !== "refresh_token") return failed("unsupported_grant_type");
      const old = said.get("refresh_token") ?? "";
      const scope = refreshTokens.get(old);
      if (scope === undefined) return failed("invalid_grant");
      oauth.refreshed++;
      if (!oauth.rotates) return give(response, scope, null);
      refreshTokens.delete(old);
      const refreshToken = text();
      refreshTokens.set(refreshToken, scope);
      give(response, scope, refreshToken);
    },
    accessOf(token) {
      const found = tokens.get(token);
      return found === undefined || found.until <= oauth.now() ? null : access;
    },
  };
  return oauth;
}
