/**
 * What a hub holds, and what a run planned, written without numbers and instants: two hubs that came to the same end by
 * different ways say the same.
 */
import assert from "node:assert/strict";
import { listRunChanges } from "../../src/store/runs/changes.ts";
import { listIssues } from "../../src/store/runs/issues.ts";
import type { Run } from "../../src/store/runs/runs.ts";
import { encodeId } from "../../src/model/id.ts";
import { type Lab, rowsOf } from "./lab.ts";

type Row = Record<string, unknown>;

const FORGOTTEN = ["id", "organization_id", "last_page", "last_change", "version", "created_at", "updated_at"];

/** Everybody, every link, every department, and what the connections have learned. */
export async function stateOf(lab: Lab, options: { digests?: boolean } = {}): Promise<Record<string, unknown>> {
  const [users, links, departments, pending, connections] = await Promise.all(
    ["users", "links", "departments", "pending_managers", "connections"].map((table) => rowsOf(lab.hub.db, table)),
  ) as [Row[], Row[], Row[], Row[], Row[]];
  const people = new Map(users.map((user) => [user.id, nameOf(user)]));
  const folded = new Map(departments.map((department) => [department.id, department.folded]));
  const slugs = new Map(connections.map((connection) => [connection.id, connection.slug]));
  return {
    users: sorted(users.map((user) => ({
      ...without(user, FORGOTTEN),
      manager_id: people.get(user.manager_id) ?? null,
      department_id: folded.get(user.department_id) ?? null,
      source_id: slugs.get(user.source_id) ?? null,
    }))),
    links: sorted(links.map(({ digest, canonical, missing_since: since, ...link }) => ({
      ...link,
      connection_id: slugs.get(link.connection_id),
      user_id: people.get(link.user_id),
      missing: since !== null,
      ...(options.digests === true ? { digest, canonical } : {}),
    }))),
    departments: sorted(departments.map((department) => ({
      ...without(department, FORGOTTEN),
      parent_id: folded.get(department.parent_id) ?? null,
    }))),
    pending: sorted(pending.map((each) => ({
      ...without(each, FORGOTTEN),
      user_id: people.get(each.user_id),
      connection_id: slugs.get(each.connection_id),
    }))),
    connections: sorted(connections.map((connection) => ({
      slug: connection.slug,
      key: connection.key,
      baseline: connection.baseline,
      full_inputs: connection.full_inputs,
      hold_next: connection.hold_next,
      // Numbers of runs and versions differ by the way, and say nothing of the end.
      last_applied: Object.entries(JSON.parse(connection.last_applied as string) as Record<string, Row>)
        .map(([entity, last]) => [entity, last.sha256]).sort(),
    }))),
  };
}

/** The same without what the connections learned by the way. */
export async function peopleOf(lab: Lab, options: { digests?: boolean } = {}): Promise<Record<string, unknown>> {
  const { connections: _, ...people } = await stateOf(lab, options);
  return people;
}

/** The changes of a run in no order, with people by their ids in the world rather than the hub's. */
export async function changesOf(lab: Lab, run: Run): Promise<unknown[]> {
  const { changes } = await listRunChanges(lab.hub.db, lab.organization.id, run.id, { after: 0, limit: 10_000 });
  const people = new Map((await rowsOf(lab.hub.db, "users")).map((user) => [encodeId("usr", user.id as number), user]));
  const names = new Map<unknown, unknown>([...people].map(([id, user]) => [id, nameOf(user)]));
  for (const { action, subject, fields } of changes) {
    if (action === "create" && !people.has(subject.id)) {
      names.set(
        subject.id,
        nameOf({
          employee_id: subject.employee_id,
          email: subject.email,
          first_name: fields.first_name?.after,
          last_name: fields.last_name?.after,
        }),
      );
    }
  }
  return sorted(changes.map(({ id: _, seq: _seq, run: _run, applied_at: _at, subject, fields, ...change }) => ({
    ...change,
    subject: { ...subject, id: names.get(subject.id) ?? null },
    fields: fields.manager === undefined ? fields : {
      ...fields,
      manager: { before: names.get(fields.manager.before) ?? null, after: names.get(fields.manager.after) ?? null },
    },
  })));
}

export async function issuesOf(lab: Lab, run: Run) {
  const { issues } = await listIssues(lab.hub.db, lab.organization.id, run.id, { after: 0, limit: 10_000 });
  return issues.map(({ id: _, ...issue }) => issue);
}

/** All that a run says of itself and that does not depend on when and under which number it ran. */
export async function accountOf(lab: Lab, run: Run): Promise<Record<string, unknown>> {
  const { status, entity, coverage, complete, counts, heldBy, error, outcomes, figures } = run;
  return {
    status,
    entity,
    coverage,
    complete,
    counts,
    heldBy,
    error,
    outcomes,
    filled: figures?.baseline ?? null,
    changes: await changesOf(lab, run),
    issues: sorted([...await issuesOf(lab, run)]),
  };
}

/** Events of a run, in order. */
export async function toldOf(lab: Lab, run: Run): Promise<unknown[]> {
  const events = (await rowsOf(lab.hub.db, "events")).filter((event) => event.run_id === run.id)
    .sort((a, b) => Number(a.id) - Number(b.id));
  assert.equal(events.at(-1)?.type, "run.completed");
  return events.map(({ type, data }) => {
    const { count, counts, new: fresh, repeated } = JSON.parse(data as string);
    return { type, count, counts, fresh, repeated };
  });
}

/** In an order of their own, so that any order compares equal. */
export function sorted<T>(items: readonly T[]): T[] {
  return items.map((item) => [JSON.stringify(item), item] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, item]) => item);
}

/** A person as the world knows them: not unique for leavers, but good enough to tell two ends apart. */
function nameOf(user: Row): string {
  return [user.employee_id, user.email, user.first_name, user.last_name].map((part) => part ?? "").join("|");
}

function without(row: Row, names: readonly string[]): Row {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name)));
}
