/** Logs a part of a key that the source repeats. */
import honest from "./honest.ts";

export default {
  ...honest,
  name: "secret-in-log",
  async *fetch(context: Parameters<typeof honest.fetch>[0]) {
    const { fetch, log } = context;
    yield* honest.fetch({
      ...context,
      async fetch(url, request) {
        const answer = await fetch(url, request);
        if (!answer.ok) log((await answer.clone().text()).slice(20, 48));
        return answer;
      },
    });
  },
};
