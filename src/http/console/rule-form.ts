/** The forms of a connection's policy and guards, made from the API's own schemas of them. No I/O. */
import { html } from "hono/html";
import { z } from "zod";
import { GUARD_NAMES, type GuardName } from "../../model/guards.ts";
import { POLICY } from "../../model/policy.ts";
import { isObject } from "../../std/is-object.ts";
import type { ConnectionView } from "../api/connection-view.ts";
import type { Html } from "../pages/frame.ts";
import { isWrongAt, type Typed, viewFolded } from "./fields.ts";
import { GUARD_TITLES, guardLimitInWords, guardsOf } from "./rule-words.ts";
import { propertiesOf, readProperties, type Schema, viewProperty } from "./schema-form.ts";

const POLICIES = z.toJSONSchema(POLICY, { io: "input", unrepresentable: "any" }).properties as Record<string, Schema>;

/** Titles, hints and the words for the values, by setting. */
const TEXTS: Readonly<Record<string, Schema>> = {
  coverage: { title: "An input holds", labels: { full: "everybody", diff: "only those who changed" } },
  missing: {
    title: "People who are missing from it",
    labels: { keep: "stay as they are", deactivate: "are deactivated" },
  },
  missing_after_runs: { title: "In how many full inputs in a row they have to be missing" },
  missing_after_hours: { title: "And for how many hours" },
  empty_cells: { title: "An empty cell", labels: { clear: "empties the field", keep: "changes nothing" } },
  manual_edits: {
    title: "What somebody edited by hand",
    labels: { overwrite: "is overwritten by the next input", keep: "stays until it is released" },
  },
  create: { title: "Add new people" },
  update: { title: "Change people" },
  deactivate: { title: "Deactivate people who have left" },
  reactivate: { title: "Make people who come back active again" },
  pick: {
    title: "Of several files that wait together",
    labels: { latest: "the newest version counts", all: "all count" },
  },
  leavers: {
    title: "People are deactivated",
    labels: { on_date: "on their deactivation date", after_date: "on the day after it" },
  },
  pre_hires: {
    title: "New people with a hire date to come are added",
    labels: { import: "at once", wait: "on that day" },
  },
  only_statuses: { title: "Employment statuses to import", description: "Empty: all of them" },
  only_rows: {
    title: "Rows to import",
    description: 'Empty: all of them. Such as [{"column": "Company", "is": ["Acme", "Acme North"]}]',
  },
  protected: { title: "People whom no run deactivates", description: "Their IDs, which begin with usr_" },
  signature: { title: "A file's signature is", labels: { optional: "not needed", required: "required" } },
  priority: { title: "Priority", description: "Where connections disagree about a person, the higher number counts" },
};

/** The policy's schema, with what is in force where nothing is set as the default. */
function policySchema({ in_force }: ConnectionView): Schema {
  const properties = Object.entries(POLICIES).map(([name, schema]) => {
    const found = in_force!.policy[name];
    const isUsual = found !== undefined && found.from !== "connection" && isPlain(found.value);
    return [name, { ...schema, ...TEXTS[name], ...(isUsual ? { default: found.value } : {}) }];
  });
  return { type: "object", properties: Object.fromEntries(properties) };
}

const isPlain = (value: unknown) => ["string", "number", "boolean"].includes(typeof value);

export function viewPolicyFields(connection: ConnectionView, typed: Typed): Html {
  const { policy } = connection;
  return html`${
    propertiesOf(policySchema(connection)).map((each) =>
      viewProperty(each, ["policy"], policy[each.name as keyof typeof policy] ?? undefined, typed)
    )
  }`;
}

/** Written by people as `none`; null in JSON. */
const NO_CAP = "none";

function guardSchema(name: GuardName, { in_force }: ConnectionView): Schema {
  const usual = (field: string) => {
    const found = in_force!.limits[name]?.[field];
    return found === undefined || found.from === "connection" ? {} : { default: found.value ?? NO_CAP };
  };
  const number = { type: "number", minimum: 0 };
  const fields: Record<string, Schema> = {
    enabled: { type: "boolean", title: "Ask for approval", ...usual("enabled") },
    ...(name === "field_gone" ? {} : { percent: { ...number, title: "Percent", maximum: 100, ...usual("percent") } }),
    ...(name === "field_gone" || name === "column" ? {} : {
      floor: { ...number, title: "At least", description: "So many never need approval", ...usual("floor") },
      cap: { type: "string", title: "At most", description: `A number, or “${NO_CAP}”`, ...usual("cap") },
    }),
  };
  return { type: "object", properties: fields };
}

export function viewGuardFields(connection: ConnectionView, typed: Typed): Html {
  const guards = guardsOf(connection);
  return html`${
    GUARD_NAMES.map((name) => {
      const own: Record<string, unknown> = { ...connection.limits[name] };
      if (own.cap === null) own.cap = NO_CAP;
      return viewFolded(
        GUARD_TITLES[name],
        isWrongAt(typed, `/limits/${name}`),
        html`
          <p class="small soft">${guardLimitInWords(name, guards[name])}</p>
          ${propertiesOf(guardSchema(name, connection)).map((each) =>
            viewProperty(each, ["limits", name], own[each.name], typed)
          )}
        `,
      );
    })
  }`;
}

/** What the form changes, as the API takes it: null brings a setting back to its default. */
export function readRules(connection: ConnectionView, form: URLSearchParams): {
  readonly changes: { readonly policy?: object; readonly limits?: object };
  readonly errors: ReadonlyMap<string, string>;
} {
  const { values, errors } = readProperties(policySchema(connection), ["policy"], form, connection.policy);
  const policy = differences(connection.policy, values);
  const limits = differences(
    connection.limits,
    Object.fromEntries(GUARD_NAMES.flatMap((name) => {
      const own = readProperties(guardSchema(name, connection), ["limits", name], form, connection.limits[name] ?? {});
      return Object.keys(own.values).length === 0 ? [] : [[name, withCap(own.values)]];
    })),
  );
  return { changes: { ...(policy === null ? {} : { policy }), ...(limits === null ? {} : { limits }) }, errors };
}

function withCap({ cap, ...values }: Record<string, unknown>): object {
  if (typeof cap !== "string") return values;
  const isNone = cap.toLowerCase() === NO_CAP;
  return { ...values, cap: isNone ? null : Number.isNaN(Number(cap)) ? cap : Number(cap) };
}

/** Null: nothing changes. */
function differences(before: object, after: Readonly<Record<string, unknown>>): object | null {
  const own = before as Readonly<Record<string, unknown>>;
  const names = [...new Set([...Object.keys(own), ...Object.keys(after)])];
  const changes = names.filter((name) => !isSame(own[name] ?? null, after[name] ?? null))
    .map((name) => [name, after[name] ?? null]);
  return changes.length === 0 ? null : Object.fromEntries(changes);
}

function isSame(one: unknown, other: unknown): boolean {
  if (!isObject(one) || !isObject(other)) return JSON.stringify(one) === JSON.stringify(other);
  return [...Object.keys(one), ...Object.keys(other)].every((name) => isSame(one[name] ?? null, other[name] ?? null));
}
