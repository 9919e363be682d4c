/** Tries to read a file, and hides that it failed. */
import honest from "./honest.ts";

const { Deno: deno } = globalThis as unknown as { Deno: { readTextFile(path: string): Promise<string> } };

export default {
  ...honest,
  name: "reads-a-file",
  async *fetch(context: Parameters<typeof honest.fetch>[0]) {
    await deno.readTextFile("/etc/hostname").catch(() => {});
    yield* honest.fetch(context);
  },
};
