/** The hub under Cloudflare's own runtime on this machine, with D1 as Workers have it. On Node alone: wrangler runs there. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Unstable_DevWorker } from "wrangler";
import { createMasterKeyText } from "../../src/security/secrets.ts";
import { checked } from "./checked.ts";

export const onDeno = "Deno" in globalThis ? "wrangler runs on Node: npm run test:node has this test" : false;

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
// Nothing is sent or asked for outside of this machine.
const QUIET = {
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_LOG: "error",
  CI: "1",
  NO_COLOR: "1",
};

export interface Workerd {
  readonly worker: Unstable_DevWorker;
  /** Asks with the token; the answer is checked against the API's document. */
  call(
    path: string,
    init?: { method?: string; headers?: Record<string, string>; body?: string | Uint8Array },
  ): Promise<Response>;
}

/** The worker has ended when `after` is called, with the folder of D1's files. `entry`: the Worker's file; the hub's unless said. */
export async function onWorkerd(
  vars: { readonly MUSTER_ADMIN_TOKEN: string; readonly [name: string]: string },
  work: (workerd: Workerd) => Promise<void>,
  { after = () => {}, entry = "src/worker.ts" }: {
    after?: (state: string) => Promise<void> | void;
    entry?: string;
  } = {},
): Promise<void> {
  const state = await mkdtemp(join(tmpdir(), "muster-worker-"));
  Object.assign(process.env, QUIET);
  const { unstable_dev } = await import("wrangler");
  try {
    await migrate(state);
    const worker = await unstable_dev(join(ROOT, entry), {
      config: join(ROOT, "wrangler.toml"),
      local: true,
      persistTo: state,
      vars: { MUSTER_MASTER_KEY: createMasterKeyText(), ...vars },
      logLevel: "error",
      port: 0,
      inspectorPort: 0,
      experimental: { disableExperimentalWarning: true, testScheduled: true },
    });
    try {
      await work({
        worker,
        async call(path, init = {}) {
          const headers = { authorization: `Bearer ${vars.MUSTER_ADMIN_TOKEN}`, ...init.headers };
          const answer = await worker.fetch(path, { ...init, headers }) as unknown as Response;
          return await checked(init.method ?? "GET", path, answer);
        },
      });
    } finally {
      await worker.stop();
    }
    await after(state);
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}

async function migrate(state: string): Promise<void> {
  const wrangler = join(ROOT, "node_modules/.bin/wrangler");
  const child = spawn(wrangler, ["d1", "migrations", "apply", "DB", "--local", "--persist-to", state], {
    cwd: ROOT,
    env: { ...process.env, ...QUIET },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => said += data);
  const code = await new Promise((resolve) => child.on("exit", resolve));
  assert.equal(code, 0, said);
}
