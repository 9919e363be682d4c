/** Starts a thread from a TypeScript file, whatever the runtime needs for that. */
import { Worker } from "node:worker_threads";

/** Deno and Node from 22.18 read TypeScript themselves; in a thread of Node 20 tsx has to be asked again. */
export function startThread(file: URL, workerData: unknown): Worker {
  const reads = "Deno" in globalThis || (process.features as { typescript?: unknown }).typescript;
  if (reads) return new Worker(file, { workerData });
  const start = `import(${JSON.stringify(import.meta.resolve("tsx/esm/api"))}).then((tsx) => {
    tsx.register();
    return import(${JSON.stringify(file.href)});
  });`;
  return new Worker(start, { eval: true, execArgv: [], workerData });
}
