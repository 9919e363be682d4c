/** What is in force for a connection, and where each value comes from: in words. No I/O. */
import type { Context } from "hono";
import { html } from "hono/html";
import type { ExpectedBy } from "../../model/connection.ts";
import type { GuardName } from "../../model/guards.ts";
import { type InForce, ORIGINS, type SetBy } from "../../model/layers.ts";
import { getPreset } from "../../model/preset.ts";
import type { WhyLeft } from "../../model/bridge-wire.ts";
import { count, fieldInWords, whenInWords } from "../../notify/words.ts";
import type { ConnectionView } from "../api/connection-view.ts";
import type { ConnectorView } from "../api/connectors.ts";
import type { Env } from "../kit/env.ts";
import type { Html } from "../pages/frame.ts";
import { contactOf, named } from "./feeds.ts";
import { may } from "./frame.ts";
import { guardLimitInWords, guardsOf, policyInWords } from "./rule-words.ts";
import { momentsOf, scheduleInWords, type When } from "./schedule.ts";

type Found = InForce<unknown>;
type FoundByName = Readonly<Record<string, Found>>;

/** Settings that are shown as folder and time. */
const AS_FACTS: ReadonlySet<string> = new Set(["folder", "every_minutes", "daily_at", "time_zone"]);

/** What a value comes from, as a note beside it. */
function viewOrigin(from: SetBy, { preset, template, connector }: ConnectionView): Html {
  const words: Readonly<Record<SetBy, string>> = {
    default: "default",
    organization: "from the organization",
    connector: `from the connector ${connector}`,
    preset: `from the preset ${getPreset(preset).title}`,
    template: `from the template ${template?.name ?? ""}`.trim(),
    connection: "set here",
  };
  return html`<span class="small soft">${words[from]}</span>`;
}

/** Folder, times, key and who is mailed. */
export function viewFacts(c: Context<Env>, connection: ConnectionView): Html {
  const organization = c.get("organization"), { timezone } = organization;
  const { folder, when, key } = connection.in_force!, contact = contactOf(connection, organization);
  const { coverage } = connection.in_force!.policy, { next_fetch_at, expected_by, overdue_since } = connection;
  return html`
    <section class="card" aria-labelledby="facts-title">
      <h2 id="facts-title">How it works</h2>
      <dl class="facts origins">
        ${folder === null ? "" : html`
          <dt>Folder</dt>
          <dd><strong>${String(folder.value)}</strong> ${viewOrigin(folder.from, connection)}</dd>
        `}
        ${when === null ? "" : html`
          <dt>When</dt>
          <dd><strong>${scheduleInWords(when.value as When)}</strong> ${viewOrigin(when.from, connection)}${viewMoments(
            c,
            connection,
          )}</dd>
        `}
        ${next_fetch_at === null ? "" : html`
          <dt>Next</dt>
          <dd>${whenInWords(Date.parse(next_fetch_at), timezone)}</dd>
        `}
        ${expected_by === null ? "" : html`
          <dt>Expected</dt>
          <dd>${expectedInWords(expected_by)}${overdue_since === null
            ? ""
            : html`, missing since ${whenInWords(Date.parse(overdue_since), timezone)}`}</dd>
        `}
        <dt>People are known by</dt><dd><strong>${key.value === null
          ? "Employee ID if the first input has it, else email"
          : fieldInWords(String(key.value))}</strong> ${viewOrigin(key.from, connection)}</dd>
        ${coverage === undefined ? "" : html`
          <dt>Coverage</dt>
          <dd><strong>${coverage.value === "full" ? "Everybody" : "Only who changed"}</strong> ${viewOrigin(
            coverage.from,
            connection,
          )}</dd>
        `}
        ${connection.template === null ? "" : html`
          <dt>Template</dt>
          <dd>It follows ${connection.template.name}</dd>
        `}
        ${connection.upgrade_available === null ? "" : html`
          <dt>Connector</dt>
          <dd>Version ${connection.upgrade_available} is there, and not used yet</dd>
        `}
        <dt>Mails go to</dt><dd>${contact === null ? "nobody" : html`${contact.address}${
          contact.isOrganizations
            ? html`
              <span class="small soft">the organization's contact</span>
            `
            : ""
        }`}</dd>
      </dl>
    </section>
  `;
}

/** The next moments of a schedule; of files that are taken at once there are none. */
function viewMoments(c: Context<Env>, { in_force, created_at, paused_at }: ConnectionView): Html {
  const { timezone } = c.get("organization");
  const moments = momentsOf(in_force!.when!.value as When, {
    timezone,
    anchor: Date.parse(created_at),
    now: c.get("hub").now(),
  });
  if (moments.length === 0 || paused_at !== null) return html``;
  return html`<ol class="bare small">${moments.map((at) => html`<li>${whenInWords(at, timezone)}</li>`)}</ol>`;
}

const DAYS = {
  mon: "Monday",
  tue: "Tuesday",
  wed: "Wednesday",
  thu: "Thursday",
  fri: "Friday",
  sat: "Saturday",
  sun: "Sunday",
};

function expectedInWords({ time, timezone, days }: ExpectedBy): string {
  const on = days === undefined ? "every day" : `on ${days.map((day) => DAYS[day]).join(", ")}`;
  return `by ${time}${timezone === undefined ? "" : ` (${timezone})`}, ${on}`;
}

/** Files that have not been taken, and why. */
export function viewLying({ sftp }: ConnectionView, timezone: string): Html {
  if (sftp === null || sftp.lying.length === 0) return html``;
  return html`
    <section class="card note held" aria-labelledby="lying-title">
      <h2 id="lying-title">${count(sftp.lying.length, "file lies", "files lie")} there and cannot be taken</h2>
      <ul class="bare rowlist">${sftp.lying.map(({ name, since, why }) =>
        html`<li><strong>${name}</strong><p class="small">${LYING[why]} Since ${
          whenInWords(Date.parse(since), timezone)
        }</p></li>`
      )}</ul>
    </section>
  `;
}

const LYING: Readonly<Record<WhyLeft, string>> = {
  temporary: "Its name is that of an upload that still runs.",
  empty: "It is empty.",
  unfinished: "Its upload broke off.",
  unmatched: "Its name is none of those that are taken.",
  too_large: "It is too large.",
  wrong_digest: "It is not what its .sha256 file says.",
};

export function viewSettings(
  c: Context<Env>,
  connection: ConnectionView,
  connector: ConnectorView | null,
  path: string,
): Html {
  const settings = Object.entries(connection.in_force!.settings as FoundByName)
    .filter(([name, { value }]) => !AS_FACTS.has(name) && !isNothing(value));
  const secrets = Object.entries(connection.secrets)
    .filter(([name, { set }]) => set || connection.secrets_required.includes(name));
  const titleOf = (name: string) => connector?.secrets.find((each) => each.name === name)?.title ?? named(name);
  const { timezone } = c.get("organization");
  return html`
    <section class="card" aria-labelledby="settings-title">
      <h2 id="settings-title">Settings</h2>
      ${settings.length + secrets.length === 0 ? html`<p>It has none.</p>` : ""}
      <dl class="facts origins">
        ${settings.map(([name, { value, from }]) =>
          html`
            <dt>${named(name)}</dt>
            <dd><strong>${valueInWords(value)}</strong> ${viewOrigin(from, connection)}</dd>
          `
        )}
        ${secrets.map(([name, { set, updated_at }]) =>
          html`
            <dt>${titleOf(name)}</dt>
            <dd>${set
              ? html`<strong>Set</strong> <span class="small soft">${
                updated_at === null ? "" : whenInWords(Date.parse(updated_at), timezone)
              }</span>`
              : "Not set"}</dd>
          `
        )}
      </dl>
      ${may(c, "connections:write")
        ? html`<p class="after"><a class="button" href="${path}/settings">Change the settings</a></p>`
        : ""}
    </section>
  `;
}

export function viewRules(c: Context<Env>, connection: ConnectionView, path: string): Html {
  const policy = connection.in_force!.policy as FoundByName, limits = connection.in_force!.limits;
  const values = Object.fromEntries(Object.entries(policy).map(([name, { value }]) => [name, value]));
  const guards = guardsOf(connection);
  return html`
    <section class="card" aria-labelledby="rules-title">
      <h2 id="rules-title">What it does with people</h2>
      <ul class="bare rules">${Object.entries(policy).map(([name, { from }]) => {
        const sentence = policyInWords(name, values);
        return sentence === null ? "" : html`<li>${sentence} ${viewOrigin(from, connection)}</li>`;
      })}</ul>
      <h2>What needs approval</h2>
      <ul class="bare rules">${Object.entries(guards).map(([name, guard]) =>
        html`<li>${guardLimitInWords(name as GuardName, guard)} ${
          viewOrigin(nearest(Object.values(limits[name] as FoundByName)), connection)
        }</li>`
      )}</ul>
      ${may(c, "connections:write")
        ? html`<p class="after"><a class="button" href="${path}/rules">Change these rules</a></p>`
        : ""}
    </section>
  `;
}

/** Where the value comes from that is set closest to the connection. */
function nearest(found: readonly Found[]): SetBy {
  return ORIGINS[Math.max(...found.map(({ from }) => ORIGINS.indexOf(from)))]!;
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || value === "" ||
    (typeof value === "object" && Object.keys(value).length === 0);
}

/** A setting's value: lists with commas, parts of an object with their names. */
export function valueInWords(value: unknown): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (value === "\t") return "tab";
  if (Array.isArray(value)) return value.map(valueInWords).join(", ");
  if (typeof value !== "object" || value === null) return String(value ?? "nothing");
  return Object.entries(value).map(([name, each]) => `${named(name)}: ${valueInWords(each)}`).join("; ");
}
