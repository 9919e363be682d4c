/** Records of one person that were made one: what is needed to undo it, for a time. */
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Image, ImageColumn, Stored } from "../../reconcile/image.ts";

type Columns = { [column in ImageColumn]?: Stored };

/** A link as it was stored, without its digests. */
export interface MovedLink {
  readonly connectionId: number;
  readonly sourceKey: string;
  readonly active: boolean;
  readonly filtered: boolean;
  readonly byHand: boolean;
  readonly missingSince: number | null;
  readonly missingFrom: number | null;
}

/** What a merge moved. */
export interface Moved {
  /** The former user's columns. */
  readonly image: Image;
  readonly guardedLeaving: string | null;
  /** Since when the former user had been inactive; null: they were active. */
  readonly leftSince: number | null;
  /** Columns of the user who stays that the merge changed. */
  readonly before: Columns;
  readonly after: Columns;
  readonly links: readonly MovedLink[];
  /** Links that were given up, as both had one in the connection. */
  readonly unlinked: readonly MovedLink[];
  /** Ids of people whose manager the former user was. */
  readonly reports: readonly number[];
  /** Ids of accepted rows. */
  readonly decisions: readonly number[];
}

/** One for each user that was merged and can be brought back. */
export const merges = sqliteTable("merges", {
  userId: integer("user_id").primaryKey(),
  organizationId: integer("organization_id").notNull(),
  intoId: integer("into_id").notNull(),
  moved: text({ mode: "json" }).$type<Moved>().notNull(),
  mergedAt: integer("merged_at").notNull(),
  /** Until when it can be undone; then the row is deleted. */
  undoUntil: integer("undo_until").notNull(),
}, (t) => [
  index("merges_organization").on(t.organizationId),
  index("merges_into").on(t.intoId),
  index("merges_until").on(t.undoUntil),
]);
