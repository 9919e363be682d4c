/** Takes an id that comes again for another job of the person, and makes it another one. */
import honest, { type Page, readAnswers } from "./honest.ts";

export default {
  ...honest,
  name: "numbers-what-comes-again",
  fetch(context: Parameters<typeof honest.fetch>[0]) {
    const seen = new Set<unknown>();
    return readAnswers(context, async (answer) => {
      const page: Page = await answer.json();
      const people = page.people?.map((person) => {
        const again = seen.has(person.id);
        seen.add(person.id);
        return again ? { ...person, id: `${person.id}-2` } : person;
      });
      return Response.json({ ...page, people }, { status: answer.status });
    });
  },
};
