// deno-lint-ignore-file require-yield
/** Reads what is not its own, and tells what it may not. */
import process from "node:process";
import { abuser, Deno } from "./abuser.ts";

const person = (first: string) => ({
  origin: "all",
  records: [{ id: "1", mail: "ana@acme.test", first, last: "Lund" }],
});

/** The source repeats the authorization that came, which has the key. */
async function key(context: { fetch: typeof fetch; settings: { host: string } }): Promise<string> {
  return await (await context.fetch(`http://${context.settings.host}/echo`)).text();
}

export default abuser("reads", {
  async *"a file"() {
    yield person(Deno.readTextFileSync("/etc/hostname"));
  },
  async *"the environment"() {
    yield person(JSON.stringify(Deno.env.toObject()));
  },
  async *"the environment as in Node"() {
    yield person(`Nothing${JSON.stringify(process.env)}`);
  },
  async *"another host past the hub"({ settings }) {
    yield person(await (await fetch(`http://${settings.host}/past`)).text());
  },
  async *"another host through the hub"(context) {
    yield person(await (await context.fetch("http://127.0.0.1:9/elsewhere")).text());
  },
  async *"its key in a row, an origin and the log"(context) {
    const shown = await key(context as never);
    context.log(shown);
    console.log(shown);
    yield { ...person("Ana"), origin: shown };
    yield { origin: "more", records: [{ id: "2", mail: shown, first: "Bo", last: shown }] };
  },
  async *"its key in a fault"(context) {
    throw Object.assign(new Error(await key(context as never)), { name: "SourceFault", kind: "answer" });
  },
});
