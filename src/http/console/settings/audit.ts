/** Who did what, the latest first, narrowed down by action, by who did it, by what it was about, and by days. */
import type { Context } from "hono";
import { html } from "hono/html";
import { AUDIT_ACTIONS } from "../../../model/audit.ts";
import { whenInWords } from "../../../notify/words.ts";
import { endOfDay, startOfDay, toInstant } from "../../../std/time.ts";
import type { AuditEntryView } from "../../api/audit.ts";
import { route } from "../../kit/describe.ts";
import type { Env } from "../../kit/env.ts";
import type { Html } from "../../pages/frame.ts";
import type { Listed } from "../api.ts";
import { UNTYPED, viewInput, viewSelect } from "../fields.ts";
import { pathIn } from "../frame.ts";
import { PAGE } from "../guards.ts";
import { queryOf, viewPaging } from "../lists.ts";
import { answerSettings, settingsPath } from "./frame.ts";

const AUDIT = "/audit";

type Asked = Readonly<Record<"action" | "actor" | "subject" | "since" | "until", string | undefined>>;

/** What the form asks for, as it is in the address. */
function askedOf(c: Context<Env>): Asked {
  const { action, actor, subject, since, until } = c.req.query();
  return { action, actor: actor?.trim(), subject: subject?.trim(), since, until };
}

/** The same for the API, with the moments at which days begin and end. */
function narrowed(c: Context<Env>): Asked {
  const { timezone } = c.get("organization"), asked = askedOf(c);
  return {
    ...asked,
    since: momentOf(asked.since, (day) => startOfDay(timezone, day)),
    until: momentOf(asked.until, (day) => endOfDay(timezone, day)),
  };
}

/** The entries as a file, as the API gives it. */
export const getAuditFile = route(PAGE, (c) => c.get("api")!.ask(`/v1/audit.csv?${queryOf(narrowed(c))}`));

export const showAudit = route(PAGE, async (c) => {
  const { cursor } = c.req.query(), asked = askedOf(c), path = settingsPath(c, AUDIT), query = queryOf(asked);
  const entries = await c.get("api")!.read<Listed<AuditEntryView>>(
    `/v1/audit?${queryOf({ ...narrowed(c), cursor })}`,
  );
  return await answerSettings(c, {
    title: "Audit",
    page: AUDIT,
    main: html`
      <h1>Audit</h1>
      <p class="soft">Everything that was changed, and who did it. It has ids and no values. Entries cannot be changed:
        each is chained to the one before it.</p>
      ${viewFilter(asked, path)}
      <section class="card">
        ${entries.data.length === 0
          ? html`<p>${entries.next_cursor === null ? "No entries." : "None so far; there are older entries."}</p>`
          : html`
            <h2 class="hidden">The entries</h2>
            <ul class="bare rowlist">${entries.data.map((entry) => viewEntry(c, entry))}</ul>
          `}
        ${viewPaging(query === "" ? path : `${path}?${query}`, entries.next_cursor, cursor === undefined)}
        <p class="small after"><a href="${path}/audit.csv${query === "" ? "" : `?${query}`}">${query === ""
          ? "The whole audit"
          : "All of these entries"} as CSV</a></p>
      </section>
    `,
  });
});

/** What is no day goes on as it is, for the API to refuse. */
function momentOf(day: string | undefined, edge: (day: string) => number | null): string | undefined {
  const moment = day ? edge(day) : null;
  return moment === null ? day : toInstant(moment);
}

function viewFilter({ action, actor, subject, since, until }: Asked, path: string): Html {
  const actions = AUDIT_ACTIONS.map((value) => ({ value, title: actionInWords(value) }));
  return html`<form class="card form filter" method="get" action="${path}" role="search">
    ${
    viewSelect({
      name: "action",
      label: "What was done",
      value: action ?? "",
      options: [{ value: "", title: "anything" }, ...actions],
    }, UNTYPED)
  }
    ${
    viewInput(
      { name: "actor", label: "By whom", value: actor ?? "", most: 254, hint: "Name or id of a token." },
      UNTYPED,
    )
  }
    ${viewInput({ name: "subject", label: "About what", value: subject ?? "", most: 200, hint: "Its id." }, UNTYPED)}
    ${viewInput({ name: "since", label: "From", type: "date", value: since ?? "" }, UNTYPED)}
    ${viewInput({ name: "until", label: "To, that day too", type: "date", value: until ?? "" }, UNTYPED)}
    <div class="decide"><button>Show</button>${
    [action, actor, subject, since, until].some(Boolean) ? html`<a class="button" href="${path}">All</a>` : ""
  }</div></form>`;
}

/** `webhook_endpoint.created` as `Webhook endpoint: created`. */
function actionInWords(action: string): string {
  const text = action.replaceAll("_", " ").replace(".", ": ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function viewEntry(c: Context<Env>, { seq, at, action, actor, subjects, address, hash }: AuditEntryView): Html {
  return html`<li>
    <div class="who"><h3>${actionInWords(action)}</h3><span class="soft">${actorInWords(actor)}</span>${
    hash === null ? html`<span class="tag plain">Not chained yet</span>` : ""
  }</div>
    ${
    subjects.length === 0 ? "" : html`<p class="small">${
      subjects.map((id) =>
        html`
          ${viewSubject(c, id)}
        `
      )
    }</p>`
  }
    <p class="small soft">${whenInWords(Date.parse(at), c.get("organization").timezone)}${
    address === null ? "" : `, from ${address}`
  }, entry ${seq}</p>
  </li>`;
}

const KINDS: Readonly<Record<string, string>> = {
  command: "a command on the hub’s machine",
  link: "somebody with a link",
  source: "the source itself",
  hub: "the hub itself",
  retention: "the retention of people",
};

function actorInWords({ kind, id, name }: AuditEntryView["actor"]): string {
  const known = [name, id].filter((part) => part !== null).join(", ");
  const words = KINDS[kind];
  if (words === undefined) return `by ${known === "" ? kind : known}`;
  return `by ${words}${known === "" ? "" : ` (${known})`}`;
}

/** Where things have a page, their ids lead to it. */
const PAGES_OF: Readonly<Record<string, string>> = {
  run: "/runs/",
  usr: "/people/",
  whe: "/settings/webhooks/",
};

function viewSubject(c: Context<Env>, id: string): Html {
  const path = PAGES_OF[id.slice(0, id.indexOf("_"))];
  return path === undefined ? html`${id}` : html`<a href="${pathIn(c, `${path}${encodeURIComponent(id)}`)}">${id}</a>`;
}
