/**
 * People whom an identity provider keeps in step by SCIM 2.0. The hub's own routes take the requests, and each write
 * arrives here as a record in the hub's fields: only those that changed, so nobody is missing.
 */
import { z } from "zod";
import { defineConnector } from "../src/connector.ts";
import { VALUE_SETTINGS } from "../src/connector-settings.ts";

export default defineConnector({
  api: 1,
  name: "scim",
  version: "1.0.0",
  title: "SCIM 2.0",
  coverage: { users: "diff" },
  input: "drop",
  key: "source_id",
  /** A provider names a manager by the resource of the same connection. */
  mapping: { manager_key: "manager_key" },
  settings: z.strictObject({
    ...VALUE_SETTINGS,
    /** Groups whose names begin with this are departments of their members, called by the rest of the name. */
    department_groups: z.string().trim().min(1).max(100).optional(),
  }),
  fetch: (context) => context.readDrop(),
});
