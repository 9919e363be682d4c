/** The erased user: a shell without values, so that ids and other people's managers still refer to something. */
import { sql } from "drizzle-orm";
import { encodeChange, type Entry } from "../../reconcile/columns/entry.ts";
import { IMAGE, IMAGE_INDEX } from "../../reconcile/image.ts";
import { type Database, setOf, type Statement } from "../database.ts";
import { blankImage } from "./erased-pages.ts";
import { recordByHand } from "./hand-changes.ts";
import { forgetScimUser } from "../scim/users.ts";
import { forgetMergesOf } from "./merges.ts";
import { forgetWords } from "./search-index.ts";
import type { User } from "./users.ts";

/** The columns that describe a person, and which source wrote them. */
const PERSONAL = IMAGE.filter((column) => column !== "status" && column !== "on_leave" && column !== "custom");
const BLANK = sql.raw(PERSONAL.map((column) => `${column} = null`).join(", "));

/** The statements that remove what refers to the user from outside. `names`: every text that may name the user. */
export function forgetUser(db: Database, { id, organizationId }: User, names: readonly string[]): Statement[] {
  const named = setOf(names);
  return [
    ...forgetScimUser(db, id),
    db.run(sql`delete from links where user_id = ${id}`),
    db.run(sql`delete from identity_decisions where user_id = ${id} and organization_id = ${organizationId}`),
    forgetWords(db, organizationId, id),
    forgetMergesOf(db, id),
    // Withheld values of other people: if they are read again, they are reported again.
    db.run(sql`update links set said = null where said is not null
      and connection_id in (select id from connections where organization_id = ${organizationId})
      and exists (select 1 from json_each(said) where value in ${named})`),
    db.run(sql`delete from pending_managers where organization_id = ${organizationId}
      and (user_id = ${id} or value in ${named})`),
    // Rows of people with this manager now name a manager whom the hub does not know, so they are read again.
    db.run(sql`update links set digest = null, canonical = null where digest is not null and user_id in
      (select id from users where organization_id = ${organizationId} and manager_id = ${id})`),
  ];
}

/** The statements that empty the user and record that as a change by hand; none when the user is empty already. */
export async function blankUser(db: Database, user: User, now: number): Promise<Statement[]> {
  if (isBlank(user)) return [];
  const { organizationId } = user;
  const recorded = await recordByHand(db, { organizationId, kind: "updates", entry: lastChange(user) }, sql`true`, now);
  return [
    ...recorded.statements,
    db.run(sql`update users set ${BLANK}, status = 'inactive', on_leave = 0, custom = null, guarded_leaving = null,
      last_page = ${recorded.pageId}, version = version + 1, updated_at = ${now} where id = ${user.id}`),
  ];
}

function isBlank(user: User): boolean {
  return user.status === "inactive" && user.custom === null &&
    [user.employeeId, user.email, user.firstName, user.lastName, user.username, user.phone, user.mobilePhone]
      .every((value) => value === null) &&
    user.sourceId === null;
}

/** The user's last change, for clients that follow the feed. */
function lastChange(user: User): Entry {
  const after = blankImage();
  after[IMAGE_INDEX.status] = "inactive";
  const wasActive = user.status === "active";
  return encodeChange({
    action: wasActive ? "deactivate" : "update",
    line: null,
    userId: user.id,
    version: user.version,
    reason: "erased",
    before: wasActive ? { status: "active" } : {},
    previousPage: user.lastPage,
    key: null,
    digest: null,
    canonical: null,
    active: false,
    after,
  });
}
