/**
 * The codes of issues: when each is reported, what is done then, and what a person can do about it.
 *
 * Codes are stable: reports, events and pages name them. The page that a report links to and docs/issues.md are made of
 * their texts (`npm run issues`). No I/O. No clock.
 */
import { ACTIVITY } from "./codes/activity.ts";
import { FILES } from "./codes/files.ts";
import { ROWS } from "./codes/rows.ts";
import { SOURCES } from "./codes/sources.ts";
import { STRUCTURE } from "./codes/structure.ts";
import { VALUES } from "./codes/values.ts";

/** By what they are about, in the order of docs/issues.md. */
export const CODE_GROUPS = { VALUES, ACTIVITY, ROWS, STRUCTURE, FILES, SOURCES } as const;

export const CODES = { ...VALUES, ...ACTIVITY, ...ROWS, ...STRUCTURE, ...FILES, ...SOURCES };

export type IssueCode = keyof typeof CODES;
