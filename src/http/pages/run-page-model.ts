/** What a run's page shows. */
import type { LinkRights } from "../../model/link.ts";
import type { IssueDigest } from "../../report/digest.ts";
import type { PeopleFilter, PeoplePage } from "../../store/runs/run-people.ts";
import type { RunDecision } from "../../store/runs/deciders.ts";
import type { Question } from "./contradictions.ts";
import type { Html } from "./frame.ts";
import type { StoredRun } from "../../store/runs/runs.ts";

export type Decision = "approve" | "cancel";

/** What can be answered about a row that would make somebody somebody else. */
export const IDENTITY_ANSWERS = ["accept", "release", "undo"] as const;
export type IdentityAnswer = (typeof IDENTITY_ANSWERS)[number];

/** Whether a link's readers may say who a row is about. They have to see whom they decide about. */
export function mayAnswer({ rights }: { readonly rights: LinkRights }): boolean {
  return rights.approve && rights.people;
}

export interface RunPage {
  readonly found: StoredRun;
  readonly timezone: string;
  /** Path of this page. The paths of its forms and files begin with it. */
  readonly path: string;
  /** Hidden fields of each form. */
  readonly fields: Html;
  /** Where the columns of its file are shown; null: nowhere. */
  readonly columns: string | null;
  /** Where its failed rows are corrected; null: nowhere. */
  readonly rows: string | null;
  /** Base of the help pages. */
  readonly publicUrl: string;
  /** What the link allows its readers to see and to do. */
  readonly rights: LinkRights;
  readonly people: PeoplePage;
  readonly q: string;
  readonly filter: PeopleFilter | null;
  /** The place after which the shown people begin; 0: at the first. */
  readonly after: number;
  /** Without those of `questions`, where the link shows people. */
  readonly issues: IssueDigest;
  /** Rows that would make somebody somebody else, from behind place `after` of the input; -1: from the first. */
  readonly questions: { readonly asked: readonly Question[]; readonly next: number | null; readonly after: number };
  /** The source's name, if it is fetched; null: files are sent. */
  readonly source: string | null;
  /** What people decided about the run, the earliest first. */
  readonly decided: readonly RunDecision[];
  /** Link to the held run that has replaced this one. */
  readonly successor: string | null;
  /** The held run before it that has to be decided first; `file`: its name, if it has one. */
  readonly behind: { readonly file: string | null } | null;
  /** The names of the files that came with this one, where a person has to say whether they belong together. */
  readonly cameWith: readonly string[];
  /** Why a decision was refused, shown above everything else. */
  readonly notice: { readonly title: string; readonly text: string } | null;
}

export function runTitle({ connection, drop }: StoredRun): string {
  return drop?.name ?? connection?.name ?? "A run";
}
