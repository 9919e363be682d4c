/**
 * The data of events: what happened comes in, an event small enough to be sent goes out. No I/O. No clock.
 *
 * A webhook's body should stay under 20 KB (Standard Webhooks). So long lists are cut and long texts are shortened; the
 * API has all of it.
 */
import { encodeId } from "./id.ts";
import type { ChangeView } from "./change.ts";
import type { IssueView } from "./issue.ts";
import type { RunView } from "./run.ts";
import { toInstant } from "../std/time.ts";
import { withoutQuotes } from "./quoting.ts";
import { issueWithoutRow } from "./wording.ts";
import { allows } from "./scope.ts";

export const EVENT_TYPES = [
  "run.completed",
  "run.failures",
  "run.held",
  "connection.error",
  "connection.recovered",
  "connection.overdue",
  "users.changed",
  "endpoint.disabled",
  "retention.held",
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** An event that is not stored yet. */
export interface NewEvent {
  readonly organizationId: number;
  readonly type: EventType;
  readonly runId: number | null;
  readonly connectionId: number | null;
  /** Under MAX_DATA_BYTES. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** How many issues a run has, and how many of them the run before did not have. */
export interface Novelty {
  readonly new: number;
  readonly repeated: number;
}

/** The rest of the 20,000 bytes of a body is for its type, its time and its links, which are added when it is sent. */
export const MAX_DATA_BYTES = 17_500;
export const MAX_ISSUES = 50;
export const MAX_PEOPLE = 50;

const MAX_TEXT_BYTES = 1_000;
const MAX_GUARDS_BYTES = 3_000;

/** What caused an event. */
export interface Origin {
  readonly organizationId: number;
  readonly runId: number | null;
  readonly connectionId: number | null;
}

/** How a connection is named in events. */
export interface NamedConnection {
  readonly id: string;
  readonly slug: string | null;
  readonly name: string | null;
}

export function runCompleted(from: Origin, run: RunView): NewEvent {
  return { ...from, type: "run.completed", data: { run: shortRun(run) } };
}

/** An issue with the person whom its row is about. */
export interface PersonsIssue extends IssueView {
  /** The row's source key; null: it has none, or it could not be read. */
  readonly key: string | null;
  /** Null: the hub knows nobody with this key. */
  readonly user: { readonly id: number; readonly name: string } | null;
}

/** `issues`: the first of them. Values are only in the report, which the links open. */
export function runFailures(from: Origin, run: RunView, novelty: Novelty, issues: readonly PersonsIssue[]): NewEvent {
  const data = {
    run: shortRun(run),
    counts: run.counts,
    new: novelty.new,
    repeated: novelty.repeated,
    truncated: true,
    links: { csv: null, xlsx: null, json: null, page: null },
  };
  return { ...from, type: "run.failures", data: withIssues(data, issues.map(withoutValue)) };
}

/** The data of `run.failures` with the values and names of its issues. `issues`: as for runFailures. */
export function withValues(
  { issues: _, ...data }: Readonly<Record<string, unknown>>,
  issues: readonly PersonsIssue[],
): Record<string, unknown> {
  const shown = issues.map((issue) => ({
    ...withoutValue(issue),
    message: shorten(issue.message),
    suggestion: shorten(issue.suggestion),
    value: issue.value === null ? null : shorten(issue.value),
    name: issue.user === null ? null : shorten(issue.user.name),
  }));
  return withIssues(data, shown);
}

interface Worded {
  readonly code: string;
  readonly message: string | null;
  readonly suggestion: string | null;
}

/** With as many of the first issues as fit, and whether there are more. */
function withIssues(data: Readonly<Record<string, unknown>>, issues: readonly Worded[]): Record<string, unknown> {
  const room = MAX_DATA_BYTES - bytesOf(data), first = issues.slice(0, MAX_ISSUES);
  const whole = fitting(first, room);
  const fitted = whole.length === first.length ? whole : fitting(wordedOnce(first), room);
  const all = Number(data.new) + Number(data.repeated);
  return { ...data, truncated: fitted.length < all, issues: fitted };
}

/** The first issue of each code keeps its texts, which leaves room for more issues. */
function wordedOnce(issues: readonly Worded[]): Worded[] {
  const seen = new Set<string>();
  return issues.map((issue) => {
    if (seen.has(issue.code)) return { ...issue, message: null, suggestion: null };
    seen.add(issue.code);
    return issue;
  });
}

/** The texts are those of the code, without a word of the input. */
function withoutValue({ user, key, ...issue }: PersonsIssue) {
  const { line, code, field, message, suggestion } = issueWithoutRow(issue);
  return {
    line,
    code,
    field: field === null ? null : shorten(field),
    message,
    suggestion,
    user: user === null ? null : encodeId("usr", user.id),
    source_key: key === null ? null : shorten(key),
  };
}

/** `people`: ids of the first people whom the guards count. */
export function runHeld(from: Origin, run: RunView, people: readonly string[]): NewEvent {
  const short = shortRun(run);
  return {
    ...from,
    type: "run.held",
    data: { run: short, held_by: short.held_by, people: people.slice(0, MAX_PEOPLE), links: { page: null } },
  };
}

/** `lastError`: the error of the last failed run. */
export function connectionTurned(
  from: Origin,
  type: "connection.error" | "connection.recovered",
  connection: NamedConnection,
  failures: number,
  lastError: { readonly code: string; readonly message: string } | null,
): NewEvent {
  return {
    ...from,
    type,
    data: {
      connection: shortConnection(connection),
      failures_in_a_row: failures,
      last_error: lastError && { code: lastError.code, message: shorten(lastError.message) },
      run: from.runId === null ? null : encodeId("run", from.runId),
    },
  };
}

/** `since`: when the connection's input was expected, in milliseconds since 1970. */
export function connectionOverdue(
  { id, organizationId, slug, name }: { id: number; organizationId: number; slug: string; name: string },
  since: number,
): NewEvent {
  return {
    organizationId,
    runId: null,
    connectionId: id,
    type: "connection.overdue",
    data: { connection: shortConnection({ id: encodeId("con", id), slug, name }), expected_by: toInstant(since) },
  };
}

/** The range of all changes of people. */
export interface ChangedRange {
  readonly count: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/**
 * `changes`: the first of them, in order. A change that is too long for a body is sent as ids only. When the body is full,
 * the rest is in the feed of changes.
 */
export function usersChanged(from: Origin, range: ChangedRange, changes: readonly ChangeView[]): NewEvent {
  const data = { first_seq: range.firstSeq, last_seq: range.lastSeq, count: range.count, truncated: false };
  const room = MAX_DATA_BYTES - bytesOf({ ...data, changes: [] }) - 2;
  const fitted = fitting(changes.map((change) => bytesOf(change) > room ? onlyIds(change) : change), room);
  return {
    ...from,
    type: "users.changed",
    data: { ...data, truncated: fitted.length < range.count, changes: fitted },
  };
}

/** `endpoint.id`: the public id. */
export function endpointDisabled(
  organizationId: number,
  endpoint: { readonly id: string; readonly url: string; readonly description?: string | null },
  reason: string,
): NewEvent {
  return {
    organizationId,
    runId: null,
    connectionId: null,
    type: "endpoint.disabled",
    data: {
      endpoint: {
        id: endpoint.id,
        url: shorten(endpoint.url),
        description: endpoint.description == null ? null : shorten(endpoint.description),
      },
      reason: shorten(reason),
    },
  };
}

/** `people`: how many leavers are due for erasure; `limit`: how many may be erased at once without approval. */
export function retentionHeld(organizationId: number, people: number, limit: number): NewEvent {
  return { organizationId, runId: null, connectionId: null, type: "retention.held", data: { people, limit } };
}

/** A change without the person's values. */
export function onlyIds({ id, action, entity, subject, run, seq }: ChangeView) {
  return { id, action, entity, subject: { id: subject.id }, run, seq };
}

/** How `data.organization` names where an event happened. Its slug is the one of now, so it is added when it is read. */
export function nameOrganization({ id, slug }: { readonly id: number; readonly slug: string }) {
  return { id: encodeId("org", id), slug };
}

/**
 * An event's data for a reader with these scopes: people's values, and messages that quote an input, need the scope to
 * read people.
 */
export function dataFor(
  scopes: readonly string[],
  { type, data }: Pick<NewEvent, "type" | "data">,
): Record<string, unknown> {
  if (allows(scopes, "users:read")) return data;
  const { run, last_error: lastError } = data as { run?: RunView | string | null; last_error?: FailedWith | null };
  return {
    ...data,
    ...(type === "users.changed" && Array.isArray(data.changes) ? { changes: data.changes.map(onlyIds) } : {}),
    ...(Array.isArray(data.issues) ? { issues: data.issues.map(withoutKey) } : {}),
    ...(typeof run === "object" && run !== null ? { run: { ...run, error: withoutQuotes(run.error) } } : {}),
    ...(lastError == null ? {} : { last_error: withoutQuotes(lastError) }),
  };
}

/** A source key may be an address. Issues of earlier versions have none. */
function withoutKey(issue: object): object {
  return "source_key" in issue ? { ...issue, source_key: null } : issue;
}

type FailedWith = { readonly code: string; readonly message: string };

/** Bytes of the value as JSON. */
export function bytesOf(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

/** The first of `items` that fit into `maxBytes` as the elements of a JSON array. */
function fitting<T>(items: readonly T[], maxBytes: number): T[] {
  const fits: T[] = [];
  let left = maxBytes;
  for (const item of items) {
    left -= bytesOf(item) + 1;
    if (left < 0) break;
    fits.push(item);
  }
  return fits;
}

function shortRun(run: RunView): RunView {
  return {
    ...run,
    connection: shortConnection(run.connection),
    drop: run.drop && { ...run.drop, name: shorten(run.drop.name) },
    held_by: fitting(
      run.held_by.map((held) => held.field === undefined ? held : { ...held, field: shorten(held.field) }),
      MAX_GUARDS_BYTES,
    ),
    error: run.error && { ...run.error, message: shorten(run.error.message) },
  };
}

function shortConnection({ id, slug, name }: NamedConnection): NamedConnection {
  return { id, slug, name: name === null ? null : shorten(name) };
}

/** As much of the text as fits into MAX_TEXT_BYTES of JSON, with an ellipsis if it was cut. */
function shorten(text: string): string {
  if (bytesOf(text) <= MAX_TEXT_BYTES) return text;
  let kept = "", bytes = 5;
  for (const character of text) {
    bytes += bytesOf(character) - 2;
    if (bytes > MAX_TEXT_BYTES) break;
    kept += character;
  }
  return `${kept}…`;
}
