/**
 * Ways out of a child without permissions, each tried. Deno lets some of them stand open for a program's own modules, so a
 * later version may open one for a connector, too: these tests fail then.
 */
import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { onlyInCheck } from "../../support/rounds.ts";
import { fetchAll, fetching, withChild } from "../../support/stranger.ts";

const SECRET = "what-no-connector-reads";

/** Runs the code in a child; fails if anything of SECRET comes out in any way. */
async function attempt(code: string): Promise<void> {
  const logged: string[] = [];
  const outcome = await withChild(code, (child) => fetchAll(child), { onLog: (line) => logged.push(line) })
    .then(({ pages }) => JSON.stringify(pages), (error) => `${error.name}: ${error.message}`);
  assert.ok(!`${outcome}${logged.join()}`.includes(SECRET), `${code}\nread it: ${outcome}`);
  if (code.includes(ALL_TRIED)) assert.ok(outcome.includes(ALL_TRIED), `${code}\nended early: ${outcome}`);
}

const give = (what: string | number) => `yield { origin: null, records: [{ got: String(${what}) }] };`;
const caught = (body: string) => `try { ${body} } catch (error) { ${give("error.name")} }`;
/** One child that tries each, whatever becomes of the others. */
const each = (...tries: string[]) => fetching(`${tries.join("\n")} yield { origin: "${ALL_TRIED}", records: [] };`);
const PAUSE = "await new Promise((yes) => setTimeout(yes, 200));";
const ALL_TRIED = "all tried";

test("no way of importing or reading reaches a file", { skip: onlyInCheck }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "muster-holes-"));
  try {
    const file = join(folder, "secret.json");
    await writeFile(file, JSON.stringify(SECRET));
    await writeFile(join(folder, "secret.js"), `export default ${JSON.stringify(SECRET)};`);
    await chmod(file, 0o644);
    const url = `file://${file}`, module = `file://${join(folder, "secret.js")}`;
    for (
      const code of [
        fetching(give("t"), `import t from "${url}" with { type: "text" };`),
        fetching(give("t"), `import t from "${url}" with { type: "json" };`),
        fetching(give("t"), `import t from "${url}" with { type: "bytes" };`),
        fetching(give("t"), `import t from "${module}";`),
        each(
          caught(`const t = await import("${url}", { with: { type: "text" } }); ${give("t.default")}`),
          caught(`const t = await import("file://" + "${file}", { with: { type: "json" } }); ${give("t.default")}`),
          caught(`const t = await import("${module}"); ${give("t.default")}`),
          caught(`const fs = await import("node:fs"); ${give(`fs.readFileSync("${file}", "utf8")`)}`),
          caught(
            `const { createRequire } = await import("node:module"); ${give(`createRequire("${url}")("${file}")`)}`,
          ),
          caught(
            `const { DatabaseSync } = await import("node:sqlite"); new DatabaseSync("${file}").exec("select 1"); ${
              give(1)
            }`,
          ),
          caught(give(`await Deno.readTextFile("${file}")`)),
          caught(give(`await (await fetch("${url}")).text()`)),
          caught(
            `const code = 'postMessage(await Deno.readTextFile("${file}"))'; const w = new Worker(URL.createObjectURL(new Blob([code],
          { type: "text/javascript" })), { type: "module" }); ${
              give(
                "await new Promise((r) => { w.onmessage = (e) => r(e.data); w.onerror = (e) => { e.preventDefault(); r('no'); }; })",
              )
            }`,
          ),
        ),
      ]
    ) await attempt(code);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("no way of connecting reaches a server, and no import does", { skip: onlyInCheck }, async () => {
  let asked = 0;
  const server = createServer((_, response) => {
    asked++;
    response.setHeader("content-type", "text/javascript").end(`export default "${SECRET}";`);
  });
  server.on("connection", () => asked++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo, url = `http://127.0.0.1:${port}/x.js`;
  try {
    for (
      const code of [
        fetching(give("t"), `import t from "${url}";`),
        fetching(give("t"), 'import t from "npm:left-pad";'),
        fetching(`new EventSource("${url}"); ${PAUSE}`),
        fetching(
          `dgram.createSocket("udp4").send("x", ${port}, "127.0.0.1"); ${PAUSE}`,
          'import dgram from "node:dgram";',
        ),
        fetching(give("t"), 'import t from "jsr:@std/path";'),
        fetching(give("t"), 'import t from "https://deno.land/std/version.ts";'),
        each(
          caught(`const t = await import("${url}?" + 1); ${give("t.default")}`),
          caught(give(`await (await fetch("${url}")).text()`)),
          caught(
            `const { Agent, get } = await import("node:http"); ${
              give(`await new Promise((yes, no) => get("${url}", yes).on("error", no))`)
            }`,
          ),
          caught(
            `const net = await import("node:net"); ${
              give(`await new Promise((yes, no) => net.connect(${port}, "127.0.0.1", yes).on("error", no))`)
            }`,
          ),
          caught(give(`await Deno.connect({ hostname: "127.0.0.1", port: ${port} })`)),
          caught(give('await Deno.resolveDns("example.com", "A")')),
          caught(
            `const ws = new WebSocket("ws://127.0.0.1:${port}"); ${
              give("await new Promise((yes) => { ws.onopen = yes; ws.onerror = (e) => yes('no'); })")
            }`,
          ),
        ),
      ]
    ) await attempt(code);
    assert.equal(asked, 0);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test(
  "no way of starting, ending or writing anything outside works, and there is no environment",
  { skip: onlyInCheck },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "muster-holes-"));
    process.env.MUSTER_HOLES = SECRET;
    try {
      for (
        const code of [
          each(
            caught(give(`await new Deno.Command("/bin/cat", { args: ["/etc/hostname"] }).output()`)),
            caught(`const { execSync } = await import("node:child_process"); ${give('execSync("id")')}`),
            caught(`Deno.kill(${process.pid}, "SIGTERM"); ${give(1)}`),
            caught(`const p = await import("node:process"); p.default.kill(${process.pid}, "SIGTERM"); ${give(1)}`),
            caught(give('Deno.env.get("MUSTER_HOLES")')),
            caught(`const p = await import("node:process"); ${give("p.env.MUSTER_HOLES")}`),
            caught(give("JSON.stringify(process.env)")),
            caught(`Deno.writeTextFileSync("${join(folder, "a")}", "x"); ${give(1)}`),
            caught(`const fs = await import("node:fs"); fs.writeFileSync("${join(folder, "b")}", "x"); ${give(1)}`),
            caught(`const { DatabaseSync } = await import("node:sqlite"); const d = new DatabaseSync(":memory:");
          d.exec("attach '${join(folder, "c")}' as a; create table a.t (x)"); ${give(1)}`),
            caught(`Deno.dlopen("/lib/x86_64-linux-gnu/libc.so.6", {}); ${give(1)}`),
            caught(
              `(await Deno.permissions.request({ name: "read" })).state === "granted" && ${"Deno.exit(9)"}; ${give(1)}`,
            ),
          ),
        ]
      ) {
        await attempt(code);
      }
      assert.deepEqual(await readdir(folder), []);
    } finally {
      delete process.env.MUSTER_HOLES;
      await rm(folder, { recursive: true });
    }
  },
);
