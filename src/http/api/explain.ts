/** What the last runs made of somebody. */
import { Hono } from "hono";
import { z } from "zod";
import { encodeId } from "../../model/id.ts";
import { type Answer, ANSWER_CODES } from "../../people/explain-answers.ts";
import { explain, type Explanation } from "../../people/explain.ts";
import { toInstant } from "../../std/time.ts";
import { MAX_SEARCHED, searchedWords } from "../../store/people/search-words.ts";
import type { StoredUser } from "../../store/people/users.ts";
import { requires } from "../kit/authorize.ts";
import { askerOf } from "../kit/caller.ts";
import { describe, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { counted } from "../kit/in-flight.ts";
import { idOf, INSTANT } from "../kit/shapes.ts";
import { query } from "../kit/validate.ts";

const PERSON = z.strictObject({
  id: idOf("usr"),
  employee_id: z.string().nullable().meta({ examples: ["000123"] }),
  email: z.string().nullable().meta({ examples: ["ana@example.com"] }),
  name: z.string().nullable().meta({ examples: ["Ana Silva"] }),
  status: z.enum(["active", "inactive"]),
}).meta({ id: "ExplainedPerson" });

const ANSWER = z.strictObject({
  code: z.enum(ANSWER_CODES).meta({ examples: ["row_refused"] }),
  sentence: z.string().meta({ examples: ['Row 812 of "people.csv" was refused: email is missing.'] }),
  next: z.string().nullable().meta({ description: "What can be done", examples: ["Fill in the address."] }),
  connection: z.strictObject({ id: idOf("con"), slug: z.string().nullable(), name: z.string().nullable() }).nullable()
    .meta({ examples: [{ id: "con_2", slug: "csv", name: "HR file" }] }),
  run: idOf("run").nullable(),
  file: z.string().nullable().meta({ examples: ["people.csv"] }),
  line: z.int().nullable().meta({ examples: [812] }),
  at: INSTANT,
  user: idOf("usr").nullable().meta({ description: "Null: nobody in Muster, or not known" }),
  issue: z.string().nullable().meta({ description: "The issue's code", examples: ["required_missing"] }),
}).meta({ id: "ExplainAnswer" });

const EXPLANATION = z.strictObject({
  code: z.enum(["found", "several", "nobody"]),
  sentence: z.string().meta({ examples: ["Ana Silva (000123, ana@example.com) is active in Muster."] }),
  users: z.array(PERSON),
  answers: z.array(ANSWER),
}).meta({ id: "Explanation" });

export type ExplanationView = z.infer<typeof EXPLANATION>;

const ASKED = z.strictObject({
  q: z.string().trim().min(1).max(200).refine(
    (text) => searchedWords(text).length <= MAX_SEARCHED,
    `should be at most ${MAX_SEARCHED} words`,
  ).meta({ description: "An id, an address, or a name" }),
});

const ask = route(
  describe("explain", "Explain what runs made of a person", { 200: EXPLANATION }, {
    description: "Who that is, or that nobody is, and what the last runs of each connection made of them, the latest " +
      "first, in words.",
    faults: ["too_many_in_flight", "unavailable"],
  }),
  requires("users:read"),
  requires("runs:read"),
  query(ASKED),
  async (c) => {
    const { q } = c.req.valid("query");
    const found = await counted(c, "explanations", () => explain(c.get("hub"), c.get("organization"), q, askerOf(c)));
    return c.json(viewExplanation(found));
  },
);

function viewExplanation(found: Explanation): ExplanationView {
  return {
    ...whoInWords(found),
    users: found.users.map(viewPerson),
    answers: found.answers.map((answer) => viewAnswer(answer, found)),
  };
}

function whoInWords({ users, hasMore }: Explanation): Pick<ExplanationView, "code" | "sentence"> {
  const [first] = users;
  if (first === undefined) {
    return { code: "nobody", sentence: "Nobody in Muster has this id, address or name." };
  }
  if (users.length > 1) {
    const many = hasMore ? `More than ${users.length}` : `${users.length}`;
    return { code: "several", sentence: `${many} people fit. Ask for one of them by id or address.` };
  }
  const { name, employee_id, email, status } = viewPerson(first);
  const [who, ...rest] = [name, employee_id, email].filter((part) => part !== null);
  const more = rest.length === 0 ? "" : ` (${rest.join(", ")})`;
  return { code: "found", sentence: `${who ?? "This person, whose data was erased,"}${more} is ${status} in Muster.` };
}

function viewPerson({ user }: StoredUser): ExplanationView["users"][number] {
  const name = [user.firstName, user.lastName].filter((part) => part !== null).join(" ");
  return {
    id: encodeId("usr", user.id),
    employee_id: user.employeeId,
    email: user.email,
    name: name === "" ? null : name,
    status: user.status,
  };
}

function viewAnswer(answer: Answer, { connections }: Explanation): ExplanationView["answers"][number] {
  const { code, sentence, next, connectionId, runId, file, line, at, userId, issue } = answer;
  const connection = connectionId === null ? undefined : connections.get(connectionId);
  return {
    code,
    sentence,
    next,
    connection: connectionId === null
      ? null
      : { id: encodeId("con", connectionId), slug: connection?.slug ?? null, name: connection?.name ?? null },
    run: runId === null ? null : encodeId("run", runId),
    file,
    line,
    at: toInstant(at),
    user: userId === null ? null : encodeId("usr", userId),
    issue,
  };
}

export const explainRoutes: Hono<Env> = new Hono<Env>()
  .get("/", ...ask);
