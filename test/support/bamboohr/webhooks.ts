/** Webhooks of the fake: made with a key that is shown once, and sent with a signature over body and time. */
import { createHmac, randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { type Asked, sendJson } from "./answer.ts";
import { type Access, type Company } from "./company.ts";
import { fieldNamed } from "./fields.ts";

const NEW_EVENTS = ["employee.created", "employee.updated", "employee.deleted"];
const OLD_EVENTS = ["employee_with_fields.created", "employee_with_fields.updated", "employee_with_fields.deleted"];

interface Webhook {
  id: string;
  name: string;
  url: string;
  format: string;
  monitorFields: string[] | null;
  postFields: Record<string, string>;
  includeCompanyDomain: boolean;
  events: string[];
  created: string;
  lastSent: string | null;
}

export interface Webhooks {
  answer(response: ServerResponse, asked: Asked, company: Company, access: Access, key: string): void;
}

export function createWebhooks(): Webhooks {
  const all = new Map<string, { webhook: Webhook; owner: string }>();
  let next = 4;
  return {
    answer(response, asked, company, access, owner) {
      const [, id, part] = /^\/webhooks(?:\/(\w+))?(?:\/(log))?$/.exec(asked.path) ?? [];
      if (id === "monitor_fields") {
        return sendJson(response, {
          fields: [{ id: 15, alias: "workEmail", name: "Work Email" }, { id: 1, name: "First Name" }],
        });
      }
      if (id === undefined && asked.method === "GET") {
        const mine = [...all.values()].filter((each) => each.owner === owner);
        const webhooks = mine.map(({ webhook: { id, name, created, lastSent, url } }) => ({
          id,
          name,
          created,
          lastSent,
          url,
        }));
        return sendJson(response, { webhooks });
      }
      const found = id === undefined ? undefined : all.get(id);
      if (id !== undefined && found === undefined) return failed(response, 404, `Webhook ${id} not found`);
      if (found !== undefined && found.owner !== owner) return failed(response, 403, "Not your webhook");
      if (part === "log") {
        // Over its limit it answers 200 all the same.
        return sendJson(response, { error: { code: 429, message: "Over rate limit, please try again in 60 seconds" } });
      }
      if (found !== undefined && asked.method === "GET") return sendJson(response, found.webhook);
      if (found !== undefined && asked.method === "DELETE") {
        all.delete(id!);
        return void response.writeHead(200).end();
      }
      const said = read(asked.body);
      const problem = said === null ? "The body is not JSON" : problemOf(said);
      if (said === null || problem !== null) return failed(response, 400, problem!);
      const monitored = said.monitorFields ?? [];
      const hidden = monitored.filter((name) => {
        const field = fieldNamed(company, name);
        return field === null || access.hidden.has(field.alias);
      });
      if (hidden.length > 0) return failed(response, 403, "You do not have permission", hidden);
      const webhook: Webhook = {
        id: id ?? String(next++),
        name: said.name ?? "",
        url: said.url!,
        format: said.format!,
        monitorFields: said.monitorFields ?? null,
        postFields: said.postFields ?? {},
        includeCompanyDomain: said.includeCompanyDomain ?? false,
        events: said.events ?? OLD_EVENTS,
        created: "2026-03-02 08:00:00",
        lastSent: null,
      };
      all.set(webhook.id, { webhook, owner });
      if (id !== undefined) return sendJson(response, webhook);
      sendJson(response, { ...webhook, privateKey: randomBytes(16).toString("hex") }, 201);
    },
  };
}

function read(body: string): Partial<Webhook> | null {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function problemOf(said: Partial<Webhook>): string | null {
  if (!said.url?.startsWith("https://")) return "url must start with https://";
  if (said.format !== "json" && said.format !== "form-encoded") return "format is required";
  const events = said.events ?? OLD_EVENTS;
  const known = events.every((each) => NEW_EVENTS.includes(each)) || events.every((each) => OLD_EVENTS.includes(each));
  if (!known) return "events cannot be mixed";
  const needsFields = events.some((each) => each.endsWith(".updated"));
  return needsFields && !said.monitorFields?.length ? "monitorFields is required" : null;
}

function failed(response: ServerResponse, status: number, error: string, issues: readonly string[] = []): void {
  sendJson(response, { errors: [{ error, issues }] }, status);
}

export interface Sent {
  readonly url: string;
  readonly privateKey: string;
  readonly body?: string;
  /** Seconds since 1970. */
  readonly timestamp?: number;
  /** Instead of the right one. */
  readonly signature?: string;
}

/** Sends what BambooHR sends when an employee changes; gives the receiver's answer. */
export async function sendWebhook(sent: Sent): Promise<Response> {
  const body = sent.body ?? JSON.stringify({
    type: "employee.updated",
    timestamp: "2026-03-02T08:00:00+0000",
    data: { companyId: "12345", employeeId: "100", changedFields: ["jobTitle"] },
  });
  const timestamp = String(sent.timestamp ?? Math.floor(Date.now() / 1000));
  return await fetch(sent.url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-bamboohr-timestamp": timestamp,
      "x-bamboohr-signature": sent.signature ?? signWebhook(sent.privateKey, body, timestamp),
    },
    body,
  });
}

/** The body first, the time behind it, nothing in between; lower-case hex. */
export function signWebhook(privateKey: string, body: string, timestamp: string): string {
  return createHmac("sha256", privateKey).update(body + timestamp).digest("hex");
}
