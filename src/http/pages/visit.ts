/**
 * The ways to a run's page: a signed link, which its reader has from a mail, and the console, whose reader is signed in.
 * The page is the same behind both.
 */
import type { Context } from "hono";
import { html } from "hono/html";
import type { By } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import type { LinkRights } from "../../model/link.ts";
import { mintLink } from "../../notify/links.ts";
import { whenInWords } from "../../notify/words.ts";
import { findOrganization } from "../../store/organizations.ts";
import type { StoredRun } from "../../store/runs/runs.ts";
import type { OpenedLink } from "../api/links.ts";
import { byLink } from "../kit/authorize.ts";
import type { Env } from "../kit/env.ts";
import { basePath } from "./base-path.ts";
import { answerPage, type Html, type PageStatus } from "./frame.ts";

/** How a run's page was reached: who reads it, what they may do, and what is around it. */
export interface Visit {
  readonly found: StoredRun;
  readonly rights: LinkRights;
  /** Whether the reader sees everybody, and not only people of the run's connection. */
  readonly seesEverybody: boolean;
  /** Path of the page. The paths of its forms and files begin with it. */
  readonly path: string;
  /** Hidden fields of each form. */
  readonly fields: Html;
  /** Who decides, for the audit. */
  readonly by: By;
  /** Whose requests that wait are counted together. */
  readonly waiter: string;
  readonly timezone: string;
  /** The address of another run's page, with the same rights. */
  readonly addressOf: (runId: number) => Promise<string>;
  /** Where the columns of its file are shown; null: nowhere. */
  readonly columns: string | null;
  /** Where its failed rows are corrected; null: nowhere. */
  readonly rows: string | null;
  /** Puts a part of the page into the frame of this way. */
  readonly answer: (
    page: { readonly title: string; readonly main: Html; readonly isLive?: boolean },
    status?: PageStatus,
  ) => Promise<Response>;
}

/** By a signed link. */
export async function visitByLink(c: Context<Env>, { found, expiresAt, terms }: OpenedLink): Promise<Visit> {
  const hub = c.get("hub"), { id, organizationId } = found.run;
  const organization = await findOrganization(hub.db, organizationId);
  const timezone = organization?.timezone ?? "UTC";
  const footer = html`<p>Anyone with this address can open the page until ${whenInWords(expiresAt, timezone)}.
    Share it only with people who may decide about this run.</p>`;
  return {
    found,
    rights: terms.rights,
    seesEverybody: terms.link !== undefined,
    path: `${basePath(c)}/r/${c.req.param("signed")}`,
    fields: html``,
    by: byLink(c, "page"),
    waiter: `link ${encodeId("run", id)}`,
    timezone,
    columns: null,
    rows: null,
    addressOf: (runId) => mintLink(hub, { id: runId, organizationId }, "page", expiresAt, terms),
    answer: (page, status) => answerPage(c, { ...page, organization: organization?.name ?? null, footer }, status),
  };
}
