/** Events that a hub sends to an endpoint, by Standard Webhooks. */
import { Webhook } from "standardwebhooks";
import type { webhooks } from "./generated/api.ts";

/** The body of each type of event, by its type. */
export type WebhookEvents = {
  readonly [Type in keyof webhooks]: webhooks[Type]["post"]["requestBody"]["content"]["application/json"];
};
/** An event; `type` says which. A later hub may send types that are not among these. */
export type WebhookEvent = WebhookEvents[keyof WebhookEvents];

/** What `POST /v1/webhook-endpoints/{id}/test` sends. */
export interface EndpointTest {
  readonly type: "endpoint.test";
  /** ISO 8601 in UTC. */
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * The event in the body of a request, whose signature is verified. `body`: the text as it was received; `secret`:
 * `whsec_…`. Throws an Error if the request was not signed with the secret, or more than five minutes ago.
 */
export function verifyWebhook(
  secret: string,
  headers: Headers | Readonly<Record<string, string>>,
  body: string,
): WebhookEvent | EndpointTest {
  const all = headers instanceof Headers ? Object.fromEntries(headers) : { ...headers };
  return new Webhook(secret).verify(body, all) as WebhookEvent | EndpointTest;
}
