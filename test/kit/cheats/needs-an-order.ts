/** Takes a list for sorted: a person with a lower id than the one before counts as somebody who has left. */
import honest, { type Page, readAnswers } from "./honest.ts";

export default {
  ...honest,
  name: "needs-an-order",
  fetch: (context: Parameters<typeof honest.fetch>[0]) =>
    readAnswers(context, async (answer) => {
      const page: Page = await answer.json();
      const people = page.people?.map((person, i, all) =>
        Number(person.id) < Number(all[i - 1]?.id) ? { ...person, job: "Former" } : person
      );
      return Response.json({ ...page, people }, { status: answer.status });
    }),
};
