/** A hub with a SCIM connection `okta`, asked with the connection's own token, while runs are carried. */
import assert from "node:assert/strict";
import type { Ask } from "./hub.ts";
import { createAsk } from "./hub.ts";
import { type Importing, importing } from "./imports.ts";

// deno-lint-ignore no-explicit-any
export type Json = any;

export interface Scim {
  readonly world: Importing;
  readonly ask: Ask;
  /** Asks below the connection, and carries runs until the answer is there. */
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Sent>;
  /** As send, of an answer with this status. */
  expect(status: number, method: string, path: string, body?: unknown): Promise<Json>;
}

export interface Sent {
  readonly status: number;
  readonly body: Json;
  readonly headers: Headers;
}

export async function scimming(work: (scim: Scim) => Promise<void>, connection: object = {}): Promise<void> {
  await importing(async (world) => {
    await world.connect("okta", { connector: "scim", ...connection });
    await work(await scimFor(world, "okta"));
  });
}

export async function scimFor(world: Importing, slug: string): Promise<Scim> {
  const { status, body } = await world.post("/v1/tokens", { name: slug, scopes: ["scim"], connection: slug });
  assert.equal(status, 201, JSON.stringify(body));
  const ask = createAsk(world.hub, body.token);
  const send: Scim["send"] = async (method, path, sent, headers = {}) => {
    let isDone = false;
    const asked = ask(`/scim/v2/${slug}${path}`, {
      method,
      headers: { "content-type": "application/scim+json; charset=utf-8", ...headers },
      ...(sent === undefined ? {} : { body: typeof sent === "string" ? sent : JSON.stringify(sent) }),
    }).finally(() => isDone = true);
    while (!isDone) {
      await world.carry();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const answer = await asked, text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text === "" ? null : JSON.parse(text) };
  };
  return {
    world,
    ask,
    send,
    async expect(status, method, path, sent) {
      const answer = await send(method, path, sent);
      assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
  };
}

export const USER = "urn:ietf:params:scim:schemas:core:2.0:User";
export const GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group";
export const ENT = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
export const OWN = "urn:ietf:params:scim:schemas:extension:muster:2.0:User";

/** A user as Okta creates it. */
export function oktaUser(name: string, more: object = {}): Json {
  const [first] = name.split("@");
  return {
    schemas: [USER],
    userName: name,
    name: { givenName: first![0]!.toUpperCase() + first!.slice(1), familyName: "Lee" },
    emails: [{ primary: true, value: name, type: "work" }],
    locale: "en-US",
    externalId: `00u-${first}`,
    groups: [],
    password: "x",
    active: true,
    ...more,
  };
}

/** A PATCH of these operations. */
export function patchOf(...Operations: unknown[]) {
  return { schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], Operations };
}
