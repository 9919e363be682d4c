/** An issue, as the API shows it. */
import type { IssueCode } from "./codes.ts";
import type { FaultCode } from "./errors.ts";
import type { Issue } from "./record.ts";

export interface IssueView extends Omit<Issue, "code" | "pieces"> {
  /** The fault that stopped a run is an issue of the whole input. */
  readonly code: IssueCode | FaultCode;
  readonly line: number | null;
}
