/**
 * Answers on a run's page to whether a row is about the same person or somebody new, and taking an answer back. As with
 * run-page-decisions.ts, the first POST only asks; the second, from the form of that question, decides, if the person is
 * still as shown.
 */
import type { Context } from "hono";
import { z } from "zod";
import type { By } from "../../model/audit.ts";
import { Fault } from "../../model/errors.ts";
import { isUniqueViolation } from "../../store/conflict.ts";
import { acceptRow, releaseUser, takeBackAcceptance, takeBackRelease } from "../../store/people/identities.ts";
import { findContradiction } from "../../store/runs/contradictions.ts";
import { openOrRefuse } from "../api/links.ts";
import { describe, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { type Question, questionsOf } from "./contradictions.ts";
import { type Visit, visitByLink } from "./visit.ts";
import { answerRunPage, placeOfRows } from "./run-page-answer.ts";
import { DECIDED_ON_PAGE, readForm } from "./run-page-decisions.ts";
import { IDENTITY_ANSWERS, type IdentityAnswer, mayAnswer, type RunPage } from "./run-page-model.ts";
import { backTo, viewIdentityConfirmation } from "./run-view-contradictions.ts";

const FORM = z.strictObject({
  row: z.string().meta({ description: "The row's place in the input, from the page", examples: ["0"] }),
  version: z.string().meta({ description: "The version of the person that was shown", examples: ["3"] }),
  answer: z.enum(IDENTITY_ANSWERS),
  confirmed: z.literal("yes").optional().meta({ description: "Without it, the answer asks for confirmation" }),
});

export const answerIdentity = route(
  describe("answerIdentityOnPage", "Say on the run's page who a row is about", DECIDED_ON_PAGE, {
    description:
      "The form of the page: the row is the same person's, or somebody new's, or that is taken back; `confirmed=yes` decides. The link has to allow approving.",
    body: { required: true, content: { "application/x-www-form-urlencoded": FORM } },
    pages: true,
  }),
  async (c) => {
    const opened = await openOrRefuse(c, ["page"]);
    return opened instanceof Response ? opened : await answerIdentityAt(c, await visitByLink(c, opened));
  },
);

/** Answers to the form about a row: it asks, or decides. */
export async function answerIdentityAt(c: Context<Env>, visit: Visit, sent?: URLSearchParams): Promise<Response> {
  if (!mayAnswer(visit)) throw new Fault("forbidden", "You may see this run and cannot decide who a row is about");
  const form = sent ?? await readForm(c);
  const answer = IDENTITY_ANSWERS.find((each) => each === form.get("answer"));
  const question = await findQuestion(c, visit, form.get("row") ?? "");
  if (answer === undefined || question === null) return await answerRunPage(c, visit, 409, GONE);
  if (question.there === null) {
    throw new Fault("forbidden", "You cannot see the person whom the row is about, so you cannot decide about it");
  }
  const refusal = refusalOf(question, answer, form.get("version") ?? "");
  if (refusal !== null) return await answerRunPage(c, visit, 409, refusal);
  if (form.get("confirmed") !== "yes") return await ask(c, visit, question, answer);
  return await decide(c, visit, question, answer);
}

type Refusal = NonNullable<RunPage["notice"]>;

const GONE: Refusal = {
  title: "There is nothing to decide",
  text: "The row is not, or no longer, among those of this run that somebody has to decide about.",
};

const CHANGED: Refusal = {
  title: "The person has changed",
  text: "The record is no longer as you saw it, so nothing was decided. Please look at it again below.",
};

const TAKEN: Refusal = {
  title: "It cannot be undone any more",
  text: "Somebody else has the id or address by now. Your Muster administrator can free it first.",
};

async function findQuestion(c: Context<Env>, { found, seesEverybody }: Visit, row: string): Promise<Question | null> {
  const { db } = c.get("hub"), { organizationId, id } = found.run;
  if (!/^\d{1,15}$/.test(row) || found.connection === null) return null;
  const contradiction = await findContradiction(db, organizationId, id, Number(row));
  return contradiction === null ? null : (await questionsOf(db, found, seesEverybody, [contradiction]))[0]!;
}

/** Why this cannot be answered as things are now; null: it can. */
function refusalOf({ decision, there, isMoot }: Question, answer: IdentityAnswer, version: string): Refusal | null {
  if (isMoot) return GONE;
  if (answer === "undo" && decision === null) {
    return { title: "There is nothing to undo", text: "Nothing is decided about this row, or it was undone already." };
  }
  if (answer !== "undo" && decision !== null) {
    return { title: "It is decided already", text: "See below what was decided. Undo that first to decide otherwise." };
  }
  return String(there!.version) === version ? null : CHANGED;
}

function ask(c: Context<Env>, visit: Visit, question: Question, answer: IdentityAnswer): Promise<Response> {
  const { path, fields } = visit;
  return visit.answer({
    title: answer === "undo" ? "Undo?" : "Who is it?",
    main: viewIdentityConfirmation({ question, answer, path, fields, after: placeOfRows(c) }),
  });
}

async function decide(c: Context<Env>, visit: Visit, question: Question, answer: IdentityAnswer): Promise<Response> {
  try {
    const isDone = await write(c, visit.by, question, answer);
    if (!isDone) return await answerRunPage(c, visit, 409, CHANGED);
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    return await answerRunPage(c, visit, 409, TAKEN);
  }
  return c.redirect(backTo(visit.path, placeOfRows(c), question.n), 303);
}

/** False when the person has changed meanwhile. */
async function write(
  c: Context<Env>,
  by: By,
  { row, there, decision }: Question,
  answer: IdentityAnswer,
): Promise<boolean> {
  const { db, now } = c.get("hub"), user = there!;
  if (answer === "release") return await releaseUser(db, user, row, now(), by);
  if (answer === "undo" && decision!.kind === "release") return await takeBackRelease(db, user, decision!, now(), by);
  if (answer === "accept") await acceptRow(db, user, row, now(), by);
  else await takeBackAcceptance(db, user.user, decision!, now(), by);
  return true;
}
