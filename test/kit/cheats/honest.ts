/** A connector that keeps all laws; each cheat beside it changes one thing. */
import { z } from "zod";
import {
  defineConnector,
  expectOk,
  type FetchedRecord,
  type FetchedRows,
  SourceFault,
} from "../../../src/connector.ts";

const SETTINGS = z.strictObject({ host: z.string().min(1).max(200), department: z.string().max(100).optional() });

export interface Page {
  readonly people: readonly FetchedRecord[];
  readonly next: number | null;
  readonly total: number;
}

/** A page that is one. */
export async function pageOf(answer: Response): Promise<Page> {
  const page = await expectOk(answer, "people").json() as Partial<Page> | null;
  if (!Array.isArray(page?.people) || page.next === undefined) {
    throw new SourceFault("answer", "The source gave no list of people: ask its makers what has changed");
  }
  return page as Page;
}

/** Reads as an author does who trusts the source; `stateAfter`: what is saved after a page. */
export async function* readTrusting(
  { fetch, settings, checkpoint }: Parameters<typeof honest.fetch>[0],
  stateAfter: (after: number, people: readonly FetchedRecord[]) => { readonly after: number },
): AsyncGenerator<FetchedRows> {
  let after = (checkpoint.resume as { after: number } | null)?.after ?? 0;
  for (;;) {
    const { people, next } = await pageOf(await fetch(`https://${settings.host}/people?after=${after}`));
    yield { origin: null, records: people };
    if (next === null) return;
    after = next;
    await checkpoint.save(stateAfter(after, people));
  }
}

/** Reads as the honest one does, from what is made of each answer. */
export function readAnswers(
  context: Parameters<typeof honest.fetch>[0],
  change: (answer: Response) => Response | Promise<Response>,
) {
  return honest.fetch({ ...context, fetch: async (url, request) => await change(await context.fetch(url, request)) });
}

const honest = defineConnector({
  api: 1,
  name: "honest",
  version: "1.0.0",
  title: "Honest",
  coverage: { users: "full" },
  input: "fetch",
  settings: SETTINGS,
  mapping: { id: "source_id", mail: "email", first: "first_name", last: "last_name", job: "title" },
  key: "source_id",
  secrets: { api_key: { title: "API key" } },
  authKinds: ["bearer"],
  auth: () => ({ kind: "bearer", token: { secret: "api_key" } }),
  hosts: ({ host }) => [host],
  async check({ fetch, settings }) {
    const { total } = await pageOf(await fetch(`https://${settings.host}/people?after=0`));
    return { ok: true, detail: `${total} people can be read`, found: { people: total } };
  },
  async *fetch({ fetch, settings, checkpoint, expectTotal, log }) {
    let after = (checkpoint.resume as { after: number } | null)?.after ?? 0;
    for (;;) {
      const path = `/people?after=${after}`;
      const { people, next, total } = await pageOf(await fetch(`https://${settings.host}${path}`));
      log(`${people.length} people after ${after}`);
      expectTotal(total);
      yield { origin: path, records: people };
      if (next !== null && next <= after) {
        throw new SourceFault(
          "answer",
          `The source names page ${next} as the next one of ${after}: its pages go in a circle`,
        );
      }
      after = next ?? total;
      await checkpoint.save({ after });
      if (next === null) return;
    }
  },
  normalize({ columns, cells }) {
    const named = Object.fromEntries(columns.map((column, i) => [column, cells[i]]));
    const made = {
      source_id: named.id,
      email: typeof named.mail === "string" ? named.mail.toLowerCase() : named.mail,
      first_name: named.first,
      last_name: named.last,
      title: named.job,
    };
    return Object.fromEntries(Object.entries(made).filter(([, value]) => value !== undefined));
  },
  migrateSettings: ({ value }) => {
    const { server, ...others } = value as { server?: string };
    return { settings: server === undefined ? others : { ...others, host: server } };
  },
  migrateState: ({ value }) => ({ after: (value as { cursor: number }).cursor }),
});

export default honest;
