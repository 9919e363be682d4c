/** The people of a run as a file, with the search of its page. */
import type { Context } from "hono";
import { reportStem } from "../../report/file.ts";
import { readHeavy } from "../../store/people/heavy-reads.ts";
import { streamPeople } from "../../store/runs/run-people.ts";
import type { StoredRun } from "../../store/runs/runs.ts";
import { askerOf } from "../kit/caller.ts";
import { attachment } from "../kit/disposition.ts";
import type { Env } from "../kit/env.ts";
import { PRIVATE } from "./frame.ts";
import { peopleCsv } from "./people-csv.ts";
import { searchOf } from "./run-page-answer.ts";

export function peopleOf(c: Context<Env>, found: StoredRun): Response {
  const { run } = found, search = searchOf(c), asker = askerOf(c, run.organizationId), hub = c.get("hub");
  const people = streamPeople((page) => readHeavy(hub, "listPeople", asker, run.organizationId, run.id, search, page));
  return new Response(peopleCsv(people), {
    headers: {
      "content-type": "text/csv; charset=utf-8",
      "content-disposition": attachment(`${reportStem(found)}.people.csv`),
      ...PRIVATE,
    },
  });
}
