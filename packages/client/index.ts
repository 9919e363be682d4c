/** A typed client for the API, and for webhooks. */
export {
  type Answer,
  type ClientOptions,
  createClient,
  dataOf,
  eachOf,
  type MusterClient,
  ProblemError,
} from "./client.ts";
export type { Problem, Schemas } from "./client.ts";
export { type EndpointTest, verifyWebhook, type WebhookEvent, type WebhookEvents } from "./webhook.ts";
export type { components, operations, paths, webhooks } from "./generated/api.ts";
