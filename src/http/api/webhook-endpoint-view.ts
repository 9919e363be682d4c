/** A webhook endpoint as the API shows it. Its secret is shown only in the answer that makes a new one. */
import { z } from "zod";
import { encodeId } from "../../model/id.ts";
import { ALL_ORGANIZATIONS, type Endpoint } from "../../store/notify/endpoints.ts";
import { toInstant, toInstantOrNull } from "../../std/time.ts";
import { idOf, INSTANT, SHOWN_ONCE, SHOWN_ONCE_CODE } from "../kit/shapes.ts";

export const ENDPOINT = z.strictObject({
  id: idOf("whe"),
  organization: idOf("org").nullable().meta({
    description: "Whose events it is sent; null: those of all organizations",
  }),
  url: z.string().meta({ examples: ["https://hooks.example.com/muster"] }),
  description: z.string().nullable().meta({ examples: ["Alerts"] }),
  event_types: z.array(z.string()).readonly().nullable()
    .meta({ description: "Null: every type, those to come too", examples: [["run.held", "run.failures"]] }),
  include_values: z.boolean().meta({ description: "`run.failures` has values and names", examples: [false] }),
  status: z.enum(["enabled", "disabled"]),
  scopes: z.array(z.string()).readonly().meta({
    description: "Its maker's, when it was made or taken over: it is sent no more",
    examples: [["webhooks:write", "users:read"]],
  }),
  token: z.string().nullable().meta({
    description: "The token that it ends with; null: none, or not known",
    examples: ["tok_2"],
  }),
  disabled_reason: z.enum(["gone", "failing", "asked", "revoked"]).nullable().meta({ examples: [null] }),
  disabled_at: INSTANT.nullable().meta({ examples: [null] }),
  failing_since: INSTANT.nullable().meta({ examples: [null] }),
  secret: z.strictObject({ set: z.literal(true), updated_at: INSTANT, previous_until: INSTANT.nullable() })
    .meta({ examples: [{ set: true, updated_at: "2026-03-02T08:00:00.000Z", previous_until: null }] }),
  version: z.int(),
  created_at: INSTANT,
  updated_at: INSTANT,
}).meta({ id: "WebhookEndpoint" });

export type EndpointView = z.infer<typeof ENDPOINT>;

/** The answer that has a new secret. */
export const WITH_SECRET = ENDPOINT.extend({
  secret: SHOWN_ONCE.meta({ examples: ["whsec_…"] }),
  ...SHOWN_ONCE_CODE,
}).meta({ id: "WebhookEndpointWithSecret" });

export type NewEndpointView = z.infer<typeof WITH_SECRET>;

export function viewEndpoint(endpoint: Endpoint): EndpointView {
  return {
    id: encodeId("whe", endpoint.id),
    organization: endpoint.organizationId === ALL_ORGANIZATIONS ? null : encodeId("org", endpoint.organizationId),
    url: endpoint.url,
    description: endpoint.description,
    event_types: endpoint.eventTypes,
    include_values: endpoint.includeValues,
    status: endpoint.status,
    scopes: endpoint.scopes,
    token: endpoint.maker?.startsWith("token:") ? endpoint.maker.slice("token:".length) : null,
    disabled_reason: endpoint.disabledReason,
    disabled_at: toInstantOrNull(endpoint.disabledAt),
    failing_since: toInstantOrNull(endpoint.failingSince),
    secret: {
      set: true,
      updated_at: toInstant(endpoint.secretUpdatedAt),
      previous_until: toInstantOrNull(endpoint.previousUntil),
    },
    version: endpoint.version,
    created_at: toInstant(endpoint.createdAt),
    updated_at: toInstant(endpoint.updatedAt),
  };
}
