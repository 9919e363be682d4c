/** Checks of a connection's connector, settings, schedule and mapping, as requests give them. */
import type { z } from "zod";
import type { Connector } from "../../connector.ts";
import { charsetProblem } from "../../model/charset.ts";
import { Fault } from "../../model/errors.ts";
import { connectorFor, type Hub, type Installed, missingConnector } from "../../hub.ts";
import { DEPARTMENT_FIELDS, USER_FIELDS } from "../../model/record.ts";
import { checkSettings } from "../../runs/settings.ts";
import { loadCustomFields } from "../../store/people/custom-fields.ts";
import type { Connection } from "../../store/connections/connections.ts";
import type { Database } from "../../store/database.ts";
import { pointerOf } from "../../std/json-pointer.ts";
import { invalid } from "../kit/validate.ts";

export function findConnector(hub: Hub, name: string): Installed {
  const connector = hub.registry.get(name);
  if (connector !== undefined) return connector;
  throw new Fault(
    "unprocessable",
    `There is no connector "${name}"; it should be ${[...hub.registry.keys()].join(", ")}`,
  );
}

/** Of a connection that is there: the version that it is pinned to. */
export function findOwnConnector(hub: Hub, connection: Connection): Installed {
  const connector = connectorFor(hub.registry, connection);
  if (connector !== undefined) return connector;
  throw new Fault("unprocessable", missingConnector(connection));
}

/** A schedule is for connectors that fetch their input. */
export function checkSchedule(connector: Connector<never>, schedule: unknown): void {
  if (schedule == null || connector.input === "fetch") return;
  throw new Fault(
    "unprocessable",
    `The connector "${connector.name}" receives its input, so it cannot have a schedule`,
    { errors: [{ pointer: "/schedule", detail: "is not allowed" }] },
  );
}

export function readSettings(connector: Connector<never>, asked: unknown): Record<string, unknown> {
  const checked = checkSettings(connector, asked);
  if ("issues" in checked) {
    throw invalid(
      `The settings are invalid for the connector "${connector.name}"`,
      // Issues of zod's have more, from which their sentences are made.
      checked.issues.map((issue) => ({ ...issue, path: ["settings", ...issue.path] }) as z.core.$ZodIssue),
    );
  }
  const { charset } = checked.settings;
  const problem = connector.input === "drop" && typeof charset === "string" ? charsetProblem(charset) : null;
  if (problem !== null) {
    throw new Fault("invalid_request", `The charset is ${problem}`, {
      errors: [{ pointer: "/settings/charset", detail: problem }],
    });
  }
  // Stored as they were sent, without the schema's defaults: a later version may have others.
  return asked as Record<string, unknown>;
}

/** Fails unless each field is one that the organization's people or departments have. */
export async function checkMapping(
  db: Database,
  organizationId: number,
  mapping: Readonly<Record<string, string | null>> | undefined,
): Promise<void> {
  if (mapping === undefined) return;
  const custom = await loadCustomFields(db, organizationId);
  const known = new Set<string>([...USER_FIELDS, ...DEPARTMENT_FIELDS, ...custom.map((field) => field.key)]);
  const errors = Object.entries(mapping).filter(([, field]) => field !== null && !known.has(field))
    .map(([header, field]) => ({ pointer: pointerOf(["mapping", header]), detail: `Unknown field "${field}"` }));
  if (errors.length > 0) {
    throw new Fault("invalid_request", `The mapping names unknown fields: ${errors[0]!.detail}`, { errors });
  }
}

export function slugOf(name: string): string {
  const slug = name.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60)
    .replace(/-+$/, "");
  if (slug !== "") return slug;
  throw new Fault("invalid_request", `No slug can be derived from the name "${name}"; provide one`, {
    errors: [{ pointer: "/slug", detail: "is required" }],
  });
}
