/** A change of a group, in the feed. Members are named by their ids alone. No I/O. */

export interface GroupChange {
  /** `deactivate`: the group was deleted. */
  readonly action: "create" | "update" | "deactivate";
  readonly groupId: number;
  /** Null: there was no group. */
  readonly before: string | null;
  /** The name; of a deleted group the last one. */
  readonly name: string;
  readonly added: readonly number[];
  readonly removed: readonly number[];
}
