/** A source on loopback that gives tokens without a person, checks everything about the request, and takes them. */
import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportPKCS8, generateKeyPair, type JWTPayload, jwtVerify } from "jose";

export interface TokenSource {
  readonly host: string;
  /** In PEM. */
  readonly privateKey: string;
  /** What is wrong with the requests for tokens so far. */
  readonly wrong: string[];
  /** Payloads of the assertions that were good. */
  readonly asserted: JWTPayload[];
  /** Tokens that were given, in order. */
  readonly given: string[];
  /** Takes no token that was given so far. */
  revoke(): void;
  close(): Promise<void>;
}

const PEOPLE = [{ id: "1", mail: "ana@acme.test", first: "Ana", last: "Sol" }];

export async function startTokenSource(now: () => number): Promise<TokenSource> {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const wrong: string[] = [], asserted: JWTPayload[] = [], given: string[] = [], good = new Set<string>();

  async function problemOf(header: string, form: URLSearchParams): Promise<string | null> {
    if (form.get("scope") !== "people.read groups.read") return `scope ${form.get("scope")}`;
    if (form.get("grant_type") === "client_credentials") {
      if (form.get("audience") !== "hr") return "audience";
      // Both parts are form-encoded (RFC 6749, section 2.3.1).
      const shown = decodeURIComponent(Buffer.from(header.replace(/^Basic /, ""), "base64").toString());
      const inForm = form.get("client_id") === "client-1" && form.get("client_secret") === "hush-hush";
      return (header !== "" && shown === "client-1:hush-hush" && !form.has("client_secret")) ||
          (header === "" && inForm)
        ? null
        : "client";
    }
    if (form.get("grant_type") !== "urn:ietf:params:oauth:grant-type:jwt-bearer") return "grant type";
    try {
      const { payload, protectedHeader } = await jwtVerify(form.get("assertion") ?? "", publicKey, {
        issuer: "robot@acme.test",
        audience: "https://tokens.example.com",
        subject: "admin@acme.test",
        requiredClaims: ["iat", "exp", "jti"],
        currentDate: new Date(now()),
        algorithms: ["RS256"],
      });
      asserted.push(payload);
      if (protectedHeader.kid !== "key-7") return "kid";
      return payload.exp! - payload.iat! <= 60 ? null : "an assertion that is good for more than a minute";
    } catch (error) {
      return String(error);
    }
  }

  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (data) => body += data).on("end", async () => {
      const header = request.headers.authorization ?? "";
      const answer = (status: number, value: object) =>
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
      if (request.url !== "/token") {
        return good.has(header.replace(/^Bearer /, "")) ? answer(200, PEOPLE) : answer(401, {});
      }
      const problem = await problemOf(header, new URLSearchParams(body));
      if (problem !== null) {
        wrong.push(problem);
        return answer(400, { error: "invalid_client", error_description: "Who is that?" });
      }
      const token = `token-number-${given.length + 1}`;
      given.push(token);
      good.add(token);
      answer(200, { access_token: token, token_type: "Bearer", expires_in: 3600 });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    privateKey: await exportPKCS8(privateKey),
    wrong,
    asserted,
    given,
    revoke: () => good.clear(),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
