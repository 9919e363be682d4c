/** A change of a user or a department, as the API shows it. */
export type ChangeAction = "create" | "update" | "deactivate" | "reactivate";

/** Which of a run's counts a change belongs to. */
export const COUNTED = {
  create: "created",
  update: "updated",
  deactivate: "deactivated",
  reactivate: "reactivated",
} as const satisfies Record<ChangeAction, string>;

export interface ChangeView {
  readonly id: string;
  readonly action: ChangeAction;
  readonly entity: "user" | "department" | "group";
  readonly subject: { id: string; email?: string | null; employee_id?: string | null; name?: string };
  readonly line: number | null;
  readonly fields: Readonly<Record<string, { before: unknown; after: unknown }>>;
  readonly reason: string | null;
  readonly status: "planned" | "applied" | "superseded";
  /** The run that made it; null: a person did, by hand. */
  readonly run: string | null;
  readonly applied_at: string | null;
  /** Place in the organization's feed; null until applied. */
  readonly seq: number | null;
}
