import { startS3 } from "/work/wt/s3/test/support/fake-s3.ts";
import { spawn, spawnSync } from "node:child_process";
const s = await startS3();
const c = spawn(process.argv[2]!, [
  ...process.argv.slice(4),
  "/tmp/s3w/mem.ts",
  JSON.stringify(s.settings),
  process.argv[3]!,
], { stdio: "inherit" });
await new Promise((r) => c.on("exit", r));
console.log([...s.objects.values()].map((b) => b.length), s.done.length);
await s.close();
