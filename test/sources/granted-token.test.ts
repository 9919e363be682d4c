/** Sources that give the hub a token without a person. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Auth } from "../../src/connector.ts";
import { type Fetching, fetching, type Written } from "../support/fetching.ts";
import { startTokenSource, type TokenSource } from "../support/token-source.ts";

type Settings = { host: string; auth?: string | undefined };
type Kind = Auth<Settings>;

const SCOPES = ["people.read", "groups.read"];
const tokenUrl = ({ host }: Settings) => `http://${host}/token`;
const byClient = (clientAuth: "post" | "basic"): Kind => ({
  kind: "client_credentials",
  clientId: { text: "client-1" },
  clientSecret: { secret: "client_secret" },
  clientAuth,
  scopes: SCOPES,
  parameters: { audience: "hr" },
  tokenUrl,
});
const byAssertion: Kind = {
  kind: "jwt_bearer",
  issuer: { text: "robot@acme.test" },
  subject: { text: "admin@acme.test" },
  audience: "https://tokens.example.com",
  privateKey: { secret: "private_key" },
  keyId: { text: "key-7" },
  claims: { box_sub_type: "enterprise" },
  scopes: SCOPES,
  tokenUrl,
};

async function withTokens(auth: Kind, work: (world: Fetching, source: TokenSource) => Promise<void>): Promise<void> {
  let now = Date.now;
  const source = await startTokenSource(() => now());
  const parts: Written = {
    secrets: { client_secret: { title: "Client secret" }, private_key: { title: "Private key", multiline: true } },
    authKinds: ["client_credentials", "jwt_bearer"],
    auth: () => auth,
    async *fetch({ fetch, settings }) {
      const answer = await fetch(`http://${settings.host}/people`);
      yield { origin: "/people", records: answer.ok ? await answer.json() : [] };
    },
  };
  try {
    await fetching(parts, async (world) => {
      now = () => world.hub.clock.ms;
      await work(world, source);
    }, {
      settings: { host: source.host },
      secrets: { client_secret: "hush-hush", private_key: source.privateKey },
    });
  } finally {
    await source.close();
  }
}

for (
  const [how, auth] of [
    ["client credentials in the form", byClient("post")],
    ["client credentials by header", byClient("basic")],
    ["an assertion that a private key has signed", byAssertion],
  ] as const
) {
  test(`a source is read for ${how}; the token is used until it expires, and renewed once when it is refused`, () =>
    withTokens(auth, async (world, source) => {
      for (let i = 0; i < 2; i++) {
        const [run] = await world.fetchNow();
        assert.deepEqual([run!.status, source.wrong], ["succeeded", []], JSON.stringify(run!.error));
      }
      assert.equal(source.given.length, 1, "the second run has the same token");
      source.revoke();
      assert.equal((await world.fetchNow())[0]!.status, "succeeded");
      assert.equal(source.given.length, 2);
      world.later(3_600_000);
      assert.equal((await world.fetchNow())[0]!.status, "succeeded");
      assert.equal(source.given.length, 3);
      const everything = JSON.stringify([await world.runs(), world.hub.lines]);
      assert.doesNotMatch(everything, /token-number|hush-hush|PRIVATE KEY/);
      for (const { box_sub_type, scope } of source.asserted) {
        assert.deepEqual([box_sub_type, scope], ["enterprise", "people.read groups.read"]);
      }
    }));
}

test("credentials that the source does not take are named as the reason, and a key that is none before it is asked", () =>
  withTokens(byClient("post"), async (world) => {
    await world.set("hr", { secrets: { client_secret: "wrong-one" } });
    const [refused] = await world.fetchNow();
    assert.equal(refused!.error?.code, "source_refused");
    assert.match(refused!.error!.message, /\(invalid_client: Who is that\?\); check the credentials of the connection/);
    world.write({ auth: () => byAssertion });
    await world.set("hr", { secrets: { private_key: "-----BEGIN RSA PRIVATE KEY-----" } });
    const [unusable] = await world.fetchNow();
    assert.equal(unusable!.error?.code, "source_misconfigured");
    assert.match(unusable!.error!.message, /should be PKCS#8 in PEM/);
  }));

test("a token that would come from a host that the connector does not name is not asked for", () =>
  withTokens(byClient("post"), async (world, source) => {
    world.write({ auth: () => ({ ...byClient("post"), tokenUrl: () => "https://tokens.example.com/" }) as Kind });
    const [run] = await world.fetchNow();
    assert.equal(run!.error?.code, "connector_failed");
    assert.match(run!.error!.message, /its tokens come from "tokens\.example\.com", which is not among its "hosts"/);
    assert.deepEqual(source.given, []);
  }));
