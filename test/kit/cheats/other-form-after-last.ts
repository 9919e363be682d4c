/** Asked for what has changed since the last read, it gives titles in another form. */
import honest, { type Page, readAnswers } from "./honest.ts";

type Context = Parameters<typeof honest.fetch>[0];

export default {
  ...honest,
  name: "other-form-after-last",
  coverage: { users: "diff" },
  fetch: (context: Context) =>
    readAnswers(context, async (answer) => {
      const page: Page = await answer.json();
      if (context.checkpoint.last === null) return Response.json(page, { status: answer.status });
      const people = page.people?.map(({ job, ...person }) =>
        job === undefined ? person : { ...person, job: String(job).toUpperCase() }
      );
      return Response.json({ ...page, people }, { status: answer.status });
    }),
};
