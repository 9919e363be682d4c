/** A browser without pictures: it keeps the cookie, follows redirects and sends the forms of pages, as a person would. */
import { createApp } from "../../src/http/app.ts";
import type { Hub } from "../../src/hub.ts";
import { bearerOfMember, sentBy } from "../../src/http/kit/authorize.ts";
import { decodeId } from "../../src/model/id.ts";
import type { Role } from "../../src/model/role.ts";
import { findMember } from "../../src/store/members.ts";
import { checked } from "./checked.ts";
import { type Ask, createAsk, createTestToken, type TestHub } from "./hub.ts";

const ORIGIN = "http://hub.example.com";

export interface Visited {
  readonly status: number;
  /** Path of the page that was shown at last. */
  readonly path: string;
  readonly text: string;
  readonly headers: Headers;
}

/** What is filled in; of boxes that are ticked there may be several. */
export type Fields = Readonly<Record<string, string | readonly string[]>>;

export interface Visitor {
  open(path: string): Promise<Visited>;
  /** Sends the page's form whose action ends with `action`, with these fields filled in. */
  send(page: Visited, action: string, fields?: Fields): Promise<Visited>;
  /** Any request with the cookie; redirects are not followed. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** The cookie, as the browser sends it. */
  cookie: string;
}

export function createVisitor(hub: Hub): Visitor {
  const app = createApp(hub);
  const visitor: Visitor = {
    cookie: "",
    async ask(path, init = {}) {
      const headers = new Headers(init.headers);
      if (visitor.cookie !== "") headers.set("cookie", visitor.cookie);
      const answer = await app.fetch(new Request(`${ORIGIN}${path}`, { ...init, headers }), { address: "192.0.2.7" });
      const set = answer.headers.get("set-cookie");
      if (set !== null) visitor.cookie = /max-age=0/i.test(set) ? "" : set.split(";")[0]!;
      return answer;
    },
    open: (path) => follow(path, {}),
    send(page, action, fields = {}) {
      const form = formIn(page.text, action);
      const address = new URL(form.action, `${ORIGIN}${page.path}`);
      const headers = { "sec-fetch-site": "same-origin" };
      const body = bodyOf({ ...form.fields, ...fields });
      return follow(address.pathname + address.search, { method: "POST", headers, body });
    },
  };
  const follow = async (path: string, init: RequestInit): Promise<Visited> => {
    let answer = await visitor.ask(path, init), at = path;
    for (let n = 0; n < 5 && answer.status === 303; n++) {
      const to = new URL(answer.headers.get("location")!, `${ORIGIN}${at}`);
      at = to.pathname + to.search;
      answer = await visitor.ask(at);
    }
    return { status: answer.status, path: at, text: await answer.text(), headers: answer.headers };
  };
  return visitor;
}

export function bodyOf(fields: Fields): URLSearchParams {
  return new URLSearchParams(
    Object.entries(fields).flatMap(([name, value]) => [value].flat().map((each) => [name, each])),
  );
}

/** The form's address and its hidden fields. Fails when the page has no such form. */
export function formIn(text: string, action: string): { action: string; fields: Record<string, string> } {
  for (const [form, attributes] of text.matchAll(/<form([^>]*)>[\s\S]*?<\/form>/g)) {
    const found = plain(/action="([^"]*)"/.exec(attributes!)?.[1] ?? "");
    if (!new URL(found, ORIGIN).pathname.endsWith(action)) continue;
    const fields: Record<string, string> = {};
    for (const [input] of form.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
      fields[/name="([^"]*)"/.exec(input)![1]!] = plain(/value="([^"]*)"/.exec(input)![1]!);
    }
    return { action: found, fields };
  }
  throw new Error(`The page has no form for "${action}"`);
}

function plain(text: string): string {
  return text.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&amp;", "&");
}

/** Signs in with a token. */
export async function signIn(hub: Hub, token: string): Promise<Visitor> {
  const visitor = createVisitor(hub);
  await visitor.send(await visitor.open("/"), "/sign-in", { token });
  return visitor;
}

/** The id of a new session of an admin. */
export async function sessionOf(hub: TestHub): Promise<string> {
  const token = await createTestToken(hub);
  await signIn(hub, token);
  return (await (await createAsk(hub, token)("/v1/sessions?own=true")).json()).data[0].id;
}

/** A new member with this role, signed in by the link that an invitation is where no mails are sent. */
export async function signInMember(
  hub: TestHub,
  { role, email = `${role}@acme.test`, name = null }: { role: Role; email?: string; name?: string | null },
): Promise<{ id: string; visitor: Visitor }> {
  const ask = createAsk({ ...hub, mailFrom: null } as TestHub, await createTestToken(hub));
  const { id, link } = await (await ask("/v1/members", { json: { email, role, name } })).json();
  const visitor = createVisitor(hub), { pathname } = new URL(link);
  await visitor.send(await visitor.open(pathname), pathname);
  return { id, visitor };
}

/** A way to ask the hub's API as a member, as the console does. An answer that is not as documented fails. */
export function createAskAs(hub: TestHub, id: string): Ask {
  const app = createApp(hub);
  return async (path, options = {}) => {
    const { json, body = json === undefined ? undefined : JSON.stringify(json), headers } = options;
    const method = options.method ?? (body === undefined ? "GET" : "POST");
    const member = await findMember(hub.db, hub.organization.id, decodeId("mem", id)!);
    const request = new Request(`${ORIGIN}${path}`, {
      method,
      headers: { ...(json === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body }),
    });
    return await checked(method, path, await app.fetch(sentBy(bearerOfMember(member!), request)));
  };
}
