// deno-lint-ignore-file require-yield
/** Never comes to an end, in each of a connector's functions. */
import { abuser, loop, PEOPLE, recordOf, validate } from "./abuser.ts";

export default abuser("loops", {
  async *"a loop in fetch"() {
    loop();
  },
  async *"pages without end, and without a request"() {
    for (;;) yield { origin: null, records: PEOPLE };
  },
}, {
  settings: {
    "~standard": {
      version: 1,
      vendor: "own",
      validate: (value) =>
        (value as { does?: string } | null)?.does === "a loop in settings" ? loop() : validate(value),
    },
  },
  hosts: ({ does, host }) => does === "a loop in hosts" ? loop() : [host],
  auth: ({ does }) => does === "a loop in auth" ? loop() : { kind: "bearer", token: { secret: "key" } },
  check: () => loop(),
  normalize: (row, { settings, fields }) => settings.does === "a loop in normalize" ? loop() : recordOf(row, fields),
});
