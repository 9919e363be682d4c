/** Organizations as stored: created with the two connections that each needs, found, listed, and changed. */
import { asc, gt } from "drizzle-orm";
import { type By, HUB } from "../model/audit.ts";
import { Fault } from "../model/errors.ts";
import { decodeId, encodeId } from "../model/id.ts";
import type { Retention } from "../model/retention.ts";
import { DEFAULT_ORGANIZATION, recordAudit } from "./audit.ts";
import { isUniqueViolation } from "./conflict.ts";
import { insertConnection } from "./connections/connections.ts";
import { type Database, writeNamed } from "./database.ts";
import { organizations } from "./schema.ts";
import { preparedFinder } from "./reads.ts";
import { reserve } from "./sequences.ts";
import { MOVED_REFERENCES } from "./versions.ts";
import { updateVersioned } from "./writes.ts";

export type Organization = typeof organizations.$inferSelect;

/** The settings of an organization; the slug cannot be changed later. */
export interface OrganizationInput {
  readonly slug: string;
  readonly name: string;
  /** IANA name. */
  readonly timezone: string;
  readonly technicalContact?: string | null;
  readonly replyTo?: string | null;
  /** Of phone numbers without + or 00; ISO 3166. */
  readonly phoneCountry?: string | null;
  readonly requiredFields?: string[];
}

/** Creates an organization with its connections `csv` and `api`. Fails with `conflict` when the slug is taken. */
export async function createOrganization(
  db: Database,
  input: OrganizationInput,
  now: number,
  by: By = HUB,
): Promise<Organization> {
  const id = await reserve(db, "organization");
  const connection = await reserve(db, "connection", 2);
  const common = { organizationId: id, createdAt: now, updatedAt: now };
  const note = { action: "organization.created", subjects: [encodeId("org", id)] } as const;
  try {
    const { made } = await writeNamed(db, {
      made: db.orm.insert(organizations).values({ ...input, id, createdAt: now, updatedAt: now }).returning(),
      csv: insertConnection(db, {
        ...common,
        id: connection,
        slug: "csv",
        name: "CSV upload",
        connector: "csv-upload",
      }),
      api: insertConnection(db, { ...common, id: connection + 1, slug: "api", name: "API", connector: "rest-import" }),
      // The first entry of its own audit, and an entry in the operator's.
      audit: recordAudit(db, by, { ...note, organizationId: id }, now),
      operatorAudit: input.slug === "default"
        ? []
        : [recordAudit(db, by, { ...note, organizationId: DEFAULT_ORGANIZATION }, now)],
    });
    return made[0]!;
  } catch (error) {
    if (!isUniqueViolation(error, "organizations.slug")) throw error;
    throw new Fault("conflict", `There is already an organization "${input.slug}"`, { cause: error });
  }
}

const findById = preparedFinder(organizations, ["id"]);
const findBySlug = preparedFinder(organizations, ["slug"]);

export async function findOrganization(db: Database, id: number): Promise<Organization | null> {
  return await findById(db, { id });
}

/** By public id or by slug. */
export async function findOrganizationNamed(db: Database, name: string): Promise<Organization | null> {
  const id = decodeId("org", name);
  if (id !== null) return await findOrganization(db, id);
  return await findBySlug(db, { slug: name });
}

/** Oldest first; at most `limit` of those after id `after`. */
export async function listOrganizations(db: Database, page: { after: number; limit: number }): Promise<Organization[]> {
  return await db.orm.select().from(organizations).where(gt(organizations.id, page.after))
    .orderBy(asc(organizations.id)).limit(page.limit);
}

/** With other settings nothing is decided: the next pass notes that it came, and the one after it decides. */
const UNDECIDED = { retentionAt: null, retentionHeld: null, erasingUntil: null, historyLeft: false } as const;

/** Null when `version` is no longer the stored one. */
export async function updateOrganization(
  db: Database,
  id: number,
  version: number,
  changes: Partial<Omit<OrganizationInput, "slug">> & { readonly retention?: Retention },
  now: number,
  by: By = HUB,
): Promise<Organization | null> {
  // These change the meaning of rows: the time zone decides which dates are past.
  const rereads = (["requiredFields", "timezone", "phoneCountry"] as const).some((name) => changes[name] !== undefined);
  const note = { organizationId: id, subjects: [encodeId("org", id)] };
  const { retention, ...others } = changes;
  const actions = [
    ...(retention === undefined || Object.keys(others).length > 0 ? ["organization.changed" as const] : []),
    ...(retention === undefined ? [] : ["retention.changed" as const]),
  ];
  const set = {
    ...changes,
    updatedAt: now,
    ...(rereads ? MOVED_REFERENCES : {}),
    ...(retention === undefined ? {} : UNDECIDED),
  };
  return await updateVersioned(db, organizations, { id, version }, set, {
    // Each entry changes a row as well, which is the condition of the next one.
    after: actions.map((action) => recordAudit(db, by, { ...note, action }, now)),
  });
}
