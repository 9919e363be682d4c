/** The pages of connections, but for adding one. */
import { Hono } from "hono";
import type { Env } from "../kit/env.ts";
import {
  authorizeConnection,
  checkConnection,
  chooseStatuses,
  pauseConnection,
  resumeConnection,
  syncConnection,
  trustHostKey,
} from "./connection-actions.ts";
import { editConnection, saveConnection } from "./connection-edit.ts";
import { showConnection } from "./connection-page.ts";
import { editRules, saveRules } from "./connection-rules.ts";
import { showConnections } from "./connections.ts";
import { getPgpKey, makePgpKey } from "./pgp-keys.ts";
import { makeLogin, removeFromLogin, showSheet } from "./sftp-login.ts";

export const connectionRoutes: Hono<Env> = new Hono<Env>()
  .get("/", ...showConnections)
  .get("/:connection", ...showConnection)
  .post("/:connection/sync", ...syncConnection)
  .post("/:connection/check", ...checkConnection)
  .post("/:connection/pause", ...pauseConnection)
  .post("/:connection/resume", ...resumeConnection)
  .post("/:connection/authorize", ...authorizeConnection)
  .post("/:connection/statuses", ...chooseStatuses)
  .post("/:connection/host-key", ...trustHostKey)
  .get("/:connection/settings", ...editConnection)
  .post("/:connection/settings", ...saveConnection)
  .get("/:connection/rules", ...editRules)
  .post("/:connection/rules", ...saveRules)
  .post("/:connection/sftp-login/password", ...makeLogin("password"))
  .post("/:connection/sftp-login/public-key", ...makeLogin("public_key"))
  .post("/:connection/sftp-login/key-pair", ...makeLogin("key_pair"))
  .post("/:connection/sftp-login/remove", ...removeFromLogin)
  .get("/:connection/sheet", ...showSheet)
  .post("/:connection/pgp-keys", ...makePgpKey)
  .get("/:connection/pgp-keys/:pgp_key", ...getPgpKey);
