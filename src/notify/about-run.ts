/** What a mail about a run is made of. */
import type { IssueDigest } from "../report/digest.ts";
import type { StoredRun } from "../store/runs/runs.ts";
import type { Links } from "./links.ts";

export interface AboutRun {
  readonly found: StoredRun;
  readonly links: Links;
  readonly issues: IssueDigest;
  /** The source's name, if it is fetched: it is corrected there, and nobody sends a file. Null: files are sent. */
  readonly source: string | null;
  /**
   * How the report comes: `attached`, or attached and `encrypted` for the customer; `linked` because it is too large;
   * `kept` because the customer has registered no key to encrypt it with. Null: there is no row to correct.
   */
  readonly report: "attached" | "encrypted" | "linked" | "kept" | null;
  /** Whether the mail itself may contain people's values. */
  readonly isOpen: boolean;
}
