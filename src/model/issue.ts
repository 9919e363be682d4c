/** An issue, as the API shows it. */
import type { IssueCode } from "./codes.ts";
import type { FaultCode } from "./errors.ts";
import type { Issue } from "./record.ts";

/** An issue in the list of a run's issues. */
export interface ListedIssue extends IssueView {
  readonly id: string;
}

export interface IssueView extends Omit<Issue, "code" | "pieces" | "conflict"> {
  /** The fault that stopped a run is an issue of the whole input. */
  readonly code: IssueCode | FaultCode;
  readonly line: number | null;
}
