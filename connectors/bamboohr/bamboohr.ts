/**
 * BambooHR: all people of an account, with an API key or by OAuth. People and their managers are identified by the id
 * that BambooHR never changes.
 */
import { defineConnector } from "../../src/connector.ts";
import { checkAccount } from "./check.ts";
import { fetchPeople } from "./fetch.ts";
import { MAPPING } from "./fields.ts";
import { normalizeRow } from "./normalize.ts";
import { hostOf, SETTINGS, type Settings } from "./settings.ts";

/** Scopes for the fields that are read, and for reading while no user is present (`offline_access`). */
const SCOPES = [
  "employee",
  "employee:name",
  "employee:job",
  "employee:contact",
  "employee:custom_fields",
  "sensitive_employee:address",
  "report",
  "field",
  "offline_access",
];

export default defineConnector<Settings>({
  api: 1,
  name: "bamboohr",
  version: "1.0.0",
  title: "BambooHR",
  coverage: { users: "full" },
  input: "fetch",
  settings: SETTINGS,
  mapping: MAPPING,
  key: "source_id",
  schedule: { cron: "0 3 * * *", timezone: "America/Los_Angeles" },
  secrets: {
    api_key: { title: "API key", description: "40 characters, of a user who may see everybody" },
    client_secret: { title: "OAuth client secret", description: "Of the application at developers.bamboohr.com" },
    webhook_key: {
      title: "Webhook key",
      description: "The private key that BambooHR shows once, when a webhook is made",
    },
  },
  knowsStatuses: true,
  hints: {
    secret: "webhook_key",
    signatureHeader: "x-bamboohr-signature",
    timestampHeader: "x-bamboohr-timestamp",
  },
  authKinds: ["basic", "oauth2"],
  auth: ({ client_id, ...settings }) =>
    client_id === undefined ? { kind: "basic", username: { secret: "api_key" }, password: { text: "x" } } : {
      kind: "oauth2",
      clientId: { text: client_id },
      clientSecret: { secret: "client_secret" },
      scopes: SCOPES,
      authorizationUrl: () => `https://${hostOf(settings)}/authorize.php?request=authorize`,
      tokenUrl: () => `https://${hostOf(settings)}/token.php?request=token`,
    },
  hosts: (settings) => [hostOf(settings)],
  check: checkAccount,
  fetch: fetchPeople,
  normalize: normalizeRow,
});
