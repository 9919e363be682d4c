/**
 * `muster import FILE`: one file, straight into the data directory, carried here to its end.
 *
 * Also beside a hub that serves from the same directory: whichever of the two comes first carries the run.
 */
import { basename } from "node:path";
import { byCommand } from "../model/audit.ts";
import { openFile } from "../runtime/file-stream.ts";
import { createSweep } from "../runtime/threads/memory.ts";
import { createOwner } from "../runtime/owner.ts";
import { Fault } from "../model/errors.ts";
import { handIn } from "../runs/hand-in.ts";
import type { Hub } from "../hub.ts";
import { encodeId } from "../model/id.ts";
import { loadFieldsToMake } from "../store/people/preset-fields.ts";
import { PRESETS } from "../model/preset.ts";
import { runNext } from "../runs/next.ts";
import { type Connection, createConnection, findConnection } from "../store/connections/connections.ts";
import type { DropInput } from "../store/runs/drops.ts";
import { findRun, isAtRest, listRuns, type StoredRun, viewRun } from "../store/runs/runs.ts";
import { type Command, FAILED, HELD, readArgs, type Terminal } from "../runtime/command.ts";
import { writeFailures } from "./failures.ts";
import { type CommandHub, loadOrganization, withHub } from "./open-hub.ts";
import { createProgress, type ProgressView } from "./progress.ts";
import { exitCodeOf, summarize } from "./summary.ts";
import { sleep } from "../std/sleep.ts";

/** How often to look at a run that another process carries, or that waits for another one. */
const LOOK_AGAIN_MS = 200;

const BY = byCommand("import");

export const importFile: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(args, {
    "dry-run": { type: "boolean", default: false },
    connection: { type: "string" },
    preset: { type: "string" },
    entity: { type: "string" },
    coverage: { type: "string" },
    organization: { type: "string" },
    json: { type: "boolean", default: false },
  }, ["FILE"]);
  const path = positionals[0]!;
  const preset = oneOf("--preset", values.preset, Object.keys(PRESETS));
  const input: DropInput = {
    name: basename(path),
    contentType: "application/octet-stream",
    mode: values["dry-run"] ? "plan" : "auto",
    entity: oneOf("--entity", values.entity, ["users", "departments"]),
    coverage: oneOf("--coverage", values.coverage, ["full", "diff"]),
  };
  const progress = createProgress(terminal);
  const file = await openFile(
    path,
    (done) => progress.show({ phase: "storing the file", done, total: file.bytes }),
  ).catch((error) => {
    throw new Fault("not_found", `Cannot read ${path}`, { cause: error });
  });

  return await withHub(terminal, async (hub) => {
    const organization = await loadOrganization(hub, values.organization);
    try {
      const connection = await loadConnection(hub, organization.id, values.connection, preset);
      const { runId } = await handIn(hub, connection, input, file.stream, BY);
      const stored = await carry(hub, organization.id, runId, terminal, progress);
      progress.end();
      return await tell(hub, stored, path, values.json ?? false, terminal);
    } finally {
      progress.end();
      await file.stream.cancel().catch(() => {});
    }
  });
};

/** The connection that is named; with a preset and no name, the one called like it, made at its first use. */
async function loadConnection(
  hub: Hub,
  organizationId: number,
  name: string | undefined,
  preset: string | null,
): Promise<Connection> {
  const slug = name ?? preset ?? "csv";
  const found = await findConnection(hub.db, organizationId, slug);
  if (found === null && preset !== null) {
    return await createConnection(
      hub.db,
      organizationId,
      {
        slug,
        name: slug,
        connector: "csv-upload",
        preset,
        settings: {},
        key: null,
        mapping: {},
        policy: {},
        limits: {},
      },
      hub.now(),
      BY,
      undefined,
      await loadFieldsToMake(hub.db, organizationId, preset),
    );
  }
  if (found === null) throw new Fault("not_found", `There is no connection "${slug}"`);
  if (preset !== null && (found.preset ?? "custom") !== preset) {
    throw new Fault(
      "conflict",
      `The connection "${slug}" has ${
        found.preset === null ? "no preset" : `the preset "${found.preset}"`
      }, not "${preset}": name another connection, or leave the preset out`,
    );
  }
  if (hub.registry.get(found.connector)?.takesDrops !== true) {
    throw new Fault("unprocessable", `The connection "${slug}" takes no files`);
  }
  if (found.pausedAt !== null) throw new Fault("conflict", `The connection "${slug}" is paused: resume it first`);
  return found;
}

/** Carries the run, or watches who does, until it is at rest; gives it as it is then, or was when interrupted. */
async function carry(
  hub: CommandHub,
  organizationId: number,
  runId: number,
  terminal: Terminal,
  progress: ProgressView,
): Promise<{ run: StoredRun; waitsFor: string | null }> {
  const interrupt = new AbortController();
  const restore = terminal.onInterrupt(() => interrupt.abort());
  const owner = createOwner();
  const options = {
    signal: interrupt.signal,
    owner: owner.name,
    isGone: hub.isEmbedded ? owner.isGone : undefined,
    rethrow: true,
    onProgress: progress.show,
    staging: hub.staging,
    batchMs: BATCH_MS,
    pause: createPause(),
  };
  try {
    for (;;) {
      let carried = await runNext(hub, { ...options, runId });
      const run = (await findRun(hub.db, organizationId, runId))!;
      if (isAtRest(run.run.status) || interrupt.signal.aborted) return { run, waitsFor: null };
      const held = await findHeld(hub, run);
      if (held !== null) return { run, waitsFor: held };
      // Others may have to be carried first.
      if (run.run.status === "queued") carried ??= await runNext(hub, options);
      if (carried !== null) continue;
      if (run.run.progress !== null) progress.show(run.run.progress);
      await sleep(LOOK_AGAIN_MS);
    }
  } finally {
    restore();
  }
}

const PAUSE_EVERY_MS = 60;
/** Nobody waits for an answer here, but a hub may run beside it. */
const BATCH_MS = 2_000;

/** Lets signals in, now and then: only a timer does, which takes a millisecond, and there are many steps. */
function createPause(): () => Promise<void> {
  let last = performance.now();
  const sweep = createSweep();
  return async () => {
    sweep();
    if (performance.now() - last < PAUSE_EVERY_MS) return;
    await sleep(0);
    last = performance.now();
  };
}

/** The run of the same connection that has to be approved or cancelled before a queued one can go on. */
async function findHeld(hub: Hub, { run }: StoredRun): Promise<string | null> {
  if (run.status !== "queued") return null;
  const filter = { connectionId: run.connectionId, status: "held" as const };
  const [held] = await listRuns(hub.db, run.organizationId, filter, { before: run.id, limit: 1 });
  // A plan alone can be made at any time, and what this run will supersede does not keep it waiting.
  return held === undefined || run.mode === "plan" || run.coverage === "full" ? null : encodeId("run", held.run.id);
}

async function tell(
  hub: Hub,
  { run, waitsFor }: { run: StoredRun; waitsFor: string | null },
  path: string,
  json: boolean,
  terminal: Terminal,
): Promise<number> {
  const view = viewRun(run);
  const ended = isAtRest(run.run.status);
  // An input that was refused as a whole has no rows to correct: the reason is all there is.
  const isReported = ended && (run.run.error === null || view.counts.read > 0);
  // What the run came to is said even where the report cannot be kept.
  const report = isReported ? await writeFailures(hub, run, path).catch((error: Error) => error) : null;
  if (json) terminal.out(JSON.stringify(view, null, 2));
  const say = (line: string) => json ? terminal.err(`${line}\n`) : terminal.out(line);
  if (waitsFor !== null) {
    say(`The run ${view.id} waits behind ${waitsFor}, which is held: approve or cancel that one first`);
    return HELD;
  }
  if (!ended) {
    say(`Interrupted; nothing is lost: the run ${view.id} goes on when "muster serve" or the next import runs`);
    return FAILED;
  }
  for (const line of summarize(view, report instanceof Error ? null : report)) say(line);
  if (report instanceof Error) throw report;
  return exitCodeOf(view);
}

function oneOf<T extends string>(option: string, value: string | undefined, known: readonly T[]): T | null {
  if (value === undefined) return null;
  if ((known as readonly string[]).includes(value)) return value as T;
  throw new Fault("invalid_request", `${option} is "${value}": it should be one of ${known.join(", ")}`);
}
