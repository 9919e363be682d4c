/** The pages of an organization's settings. */
import { Hono } from "hono";
import type { Env } from "../../kit/env.ts";
import { getAuditFile, showAudit } from "./audit.ts";
import { askForField, askToDeleteField, changeField, deleteField, makeField, showField } from "./custom-fields.ts";
import { sendTestMail, showMails } from "./mails.ts";
import {
  askToRemove,
  changeMember,
  inviteAgain,
  inviteMember,
  removeMember,
  showMember,
  showMembers,
} from "./members.ts";
import { changeOrganization, showOrganization } from "./organization.ts";
import { askForToken, askToRevoke, makeToken, revokeToken, showTokens } from "./tokens.ts";
import {
  askForSecret,
  askToDelete,
  changeWebhook,
  deleteWebhook,
  rotateSecret,
  showWebhook,
  switchWebhook,
  takeOverWebhook,
  testWebhook,
} from "./webhook.ts";
import { replayEvents, retryDelivery, showDeliveries, showDelivery } from "./webhook-deliveries.ts";
import { askForEndpoint, makeEndpoint, showWebhooks } from "./webhooks.ts";

export const settingsRoutes: Hono<Env> = new Hono<Env>()
  .get("/organization", ...showOrganization)
  .post("/organization", ...changeOrganization)
  .post("/organization/fields", ...makeField)
  .get("/organization/fields/new", ...askForField)
  .get("/organization/fields/edit", ...showField)
  .post("/organization/fields/edit", ...changeField)
  .get("/organization/fields/delete", ...askToDeleteField)
  .post("/organization/fields/delete", ...deleteField)
  .get("/audit", ...showAudit)
  .get("/audit/audit.csv", ...getAuditFile)
  .get("/mails", ...showMails)
  .post("/mails", ...sendTestMail)
  .get("/tokens", ...showTokens)
  .post("/tokens", ...makeToken)
  .get("/tokens/new", ...askForToken)
  .get("/tokens/:id/revoke", ...askToRevoke)
  .post("/tokens/:id/revoke", ...revokeToken)
  .get("/webhooks", ...showWebhooks)
  .post("/webhooks", ...makeEndpoint)
  .get("/webhooks/new", ...askForEndpoint)
  .get("/webhooks/deliveries/:id", ...showDelivery)
  .post("/webhooks/deliveries/:id/retry", ...retryDelivery)
  .get("/webhooks/:id", ...showWebhook)
  .post("/webhooks/:id", ...changeWebhook)
  .post("/webhooks/:id/test", ...testWebhook)
  .post("/webhooks/:id/on", ...switchWebhook("enabled"))
  .post("/webhooks/:id/off", ...switchWebhook("disabled"))
  .post("/webhooks/:id/take-over", ...takeOverWebhook)
  .get("/webhooks/:id/secret", ...askForSecret)
  .post("/webhooks/:id/secret", ...rotateSecret)
  .get("/webhooks/:id/delete", ...askToDelete)
  .post("/webhooks/:id/delete", ...deleteWebhook)
  .get("/webhooks/:id/deliveries", ...showDeliveries)
  .post("/webhooks/:id/replay", ...replayEvents)
  .get("/members", ...showMembers)
  .post("/members", ...inviteMember)
  .get("/members/:id", ...showMember)
  .post("/members/:id", ...changeMember)
  .post("/members/:id/invite", ...inviteAgain)
  .get("/members/:id/remove", ...askToRemove)
  .post("/members/:id/remove", ...removeMember);
