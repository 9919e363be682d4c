/** A bridge as the hub's API knows one: introduced, confirmed, and with a connection and a file of its own. */
import assert from "node:assert/strict";
import { type Ask, createAsk, createTestToken, type TestHub } from "./hub.ts";

export interface Introduced {
  /** `bri_…` */
  readonly id: string;
  readonly privateKey: CryptoKey;
  /** Asks as this bridge. */
  readonly ask: Ask;
}

export const HOSTED = { host: "sftp.example.com", port: 22, host_key: `SHA256:${"a".repeat(43)}` };

export async function createBridgeKey() {
  const { publicKey, privateKey } = await crypto.subtle.generateKey(
    { name: "ECDH", namedCurve: "P-256" },
    true,
    ["deriveBits"],
  );
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  return { publicKey: { kty, crv, x, y }, privateKey };
}

/** `operator` confirms it; null: nobody does. */
export async function introduceBridge(
  hub: TestHub,
  operator: Ask | null,
  options: { token?: string; hosted?: object | null } = {},
): Promise<Introduced> {
  const ask = createAsk(hub, options.token ?? await createTestToken(hub, { scopes: ["bridge"] }));
  const { publicKey, privateKey } = await createBridgeKey();
  const answer = await ask("/v1/bridge/hello", {
    json: {
      name: "one",
      version: "0.1.0",
      public_key: publicKey,
      hosted: options.hosted === undefined ? HOSTED : options.hosted,
    },
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  const { bridge } = await answer.json();
  if (operator !== null) {
    assert.equal((await operator(`/v1/bridges/${bridge.id}/confirm`, { method: "POST" })).status, 200);
  }
  return {
    id: bridge.id,
    privateKey,
    ask: (path, said = {}) => ask(path, { ...said, headers: { "muster-bridge": bridge.id, ...said.headers } }),
  };
}

/** Lets the bridge hold the organization's connections and hand a small file over; gives what that was. */
export async function handOverOne(
  { ask }: Introduced,
  connection: string,
  name = "a.csv",
  content = "email\n",
): Promise<{ file: string; upload: string; run: string }> {
  assert.equal((await ask("/v1/bridge/connections", { json: {} })).status, 200);
  const upload = await openOne({ ask }, connection, name, content);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(content)));
  const sealed = await ask(`/v1/bridge/uploads/${upload}/seal`, {
    json: {
      bytes: content.length,
      sha256: [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
      folder: "/incoming",
      name,
      modified_at: 1,
    },
  });
  assert.equal(sealed.status, 200, await sealed.clone().text());
  const { file, run } = await sealed.json();
  return { file, upload, run };
}

/** An upload with one part, not sealed. */
export async function openOne(
  { ask }: Pick<Introduced, "ask">,
  connection: string,
  name = "a.csv",
  content = "email\n",
): Promise<string> {
  const opened = await ask(`/v1/bridge/connections/${connection}/uploads`, { json: { name } });
  assert.equal(opened.status, 201, await opened.clone().text());
  const { upload } = await opened.json();
  const put = await ask(`/v1/bridge/uploads/${upload.id}/parts/1`, {
    method: "PUT",
    body: content,
    headers: { "content-type": "application/octet-stream" },
  });
  assert.equal(put.status, 204);
  return upload.id;
}
