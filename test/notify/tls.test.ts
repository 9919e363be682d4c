/** A hub of its own process, which trusts one authority beside those of its runtime, and receivers that speak TLS. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { Webhook } from "standardwebhooks";
import { createTokenText } from "../../src/security/token.ts";
import { type Authority, createAuthority, WITHOUT_OPENSSL } from "../support/certificates.ts";
import { fetch } from "../support/checked.ts";
import { startServing } from "../support/serve.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";

interface Received {
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly servername: unknown;
}

/** Answers 204 by TLS, as whoever the certificate says, and keeps what it receives. */
async function startSecure(authority: Authority, name: string) {
  const received: Received[] = [];
  const server: Server = createServer(authority.vouchFor(name), (request, response) => {
    let body = "";
    request.on("data", (data) => body += data);
    request.on("end", () => {
      const { servername } = request.socket as TLSSocket & { servername?: unknown };
      received.push({ headers: request.headers as Record<string, string>, body, servername });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    received,
    port: (server.address() as AddressInfo).port,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

test("webhooks go out by TLS to whom the process trusts under that name, and a stranger gets nothing", {
  skip: WITHOUT_OPENSSL || onlyInCheckOnDeno,
}, async () => {
  const dir = await mkdtemp(join(tmpdir(), "muster-"));
  const trusted = createAuthority(), unknown = createAuthority();
  const receivers = {
    "good.example.com": await startSecure(trusted, "good.example.com"),
    "stranger.example.com": await startSecure(unknown, "stranger.example.com"),
    "other-name.example.com": await startSecure(trusted, "elsewhere.example.com"),
  };
  const names = Object.keys(receivers) as (keyof typeof receivers)[];
  const token = createTokenText();
  const hub = await startServing({
    MUSTER_DATA_DIR: join(dir, "data"),
    MUSTER_ADMIN_TOKEN: token,
    MUSTER_ALLOW_HOSTS: names.map((name) => `${name}=127.0.0.1:${receivers[name].port}`).join(),
    NODE_EXTRA_CA_CERTS: trusted.file,
  });
  const ask = async (path: string, json?: unknown) => {
    const answer = await fetch(`${hub.url}${path}`, {
      method: json === undefined ? "GET" : "POST",
      headers: {
        authorization: `Bearer ${token}`,
        ...(json === undefined ? {} : { "content-type": "application/json" }),
      },
      body: json === undefined ? undefined : JSON.stringify(json),
    });
    assert.ok(answer.ok, `${path}: ${answer.status}`);
    return await answer.json();
  };
  try {
    const attempts = new Map<string, { status: number | null; error: string | null }>();
    let secret = "";
    for (const name of names) {
      const endpoint = await ask("/v1/webhook-endpoints", { url: `https://${name}/muster` });
      if (name === "good.example.com") secret = endpoint.secret;
      const { id } = await ask(`/v1/webhook-endpoints/${endpoint.id}/test`, {});
      for (const end = Date.now() + 20_000; !attempts.has(name);) {
        const [attempt] = (await ask(`/v1/deliveries/${id}`)).attempts;
        if (attempt !== undefined) attempts.set(name, attempt);
        assert.ok(Date.now() < end, `Nobody tried to reach ${name}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    assert.equal(attempts.get("good.example.com")!.status, 204);
    const [good] = receivers["good.example.com"].received;
    assert.deepEqual([good!.headers.host, good!.servername], ["good.example.com", "good.example.com"]);
    assert.doesNotThrow(() => new Webhook(secret).verify(good!.body, good!.headers));
    for (
      const [name, why] of [["stranger.example.com", /certificate/], ["other-name.example.com", /altnames/i]] as const
    ) {
      const { status, error } = attempts.get(name)!;
      assert.equal(status, null);
      assert.match(error!, why);
      assert.deepEqual(receivers[name].received, []);
    }
  } finally {
    await hub.stop();
    for (const name of names) await receivers[name].close();
    trusted.remove();
    unknown.remove();
    await rm(dir, { recursive: true, force: true });
  }
});
