/**
 * `muster import FILE`: imports one file straight into the data directory, and carries its run to the end.
 *
 * It also works beside a hub that serves from the same directory: whichever of the two is faster carries the run.
 */
import { basename } from "node:path";
import { byCommand } from "../model/audit.ts";
import { openFile } from "../runtime/file-stream.ts";
import { createSweep } from "../runtime/threads/memory.ts";
import { charsetProblem, findCharset, withCharset } from "../model/charset.ts";
import { createOwner } from "../runtime/owner.ts";
import { Fault } from "../model/errors.ts";
import { receiveDrop } from "../runs/receive-drop.ts";
import { connectorFor, type Hub, missingConnector } from "../hub.ts";
import { encodeId } from "../model/id.ts";
import { loadFieldsToMake } from "../store/people/preset-fields.ts";
import { PRESETS } from "../model/preset.ts";
import { runNext } from "../runs/next.ts";
import { type Connection, createConnection, findConnection } from "../store/connections/connections.ts";
import type { DropInput } from "../store/runs/drops.ts";
import { findRun, isAtRest, listRuns, type StoredRun, viewRun } from "../store/runs/runs.ts";
import { FAILED, HELD, type Terminal } from "../runtime/command.ts";
import { defineCommand } from "./command.ts";
import { wholeInputIssues } from "../report/file.ts";
import { writeFailures } from "./failures.ts";
import { type CommandHub, createWaiting, loadOrganization, withHub } from "./open-hub.ts";
import { createProgress, type ProgressView } from "./progress.ts";
import { exitCodeOf, summarize } from "./summary.ts";
import { followConnectors } from "../sources/follow.ts";
import { sleep } from "../std/sleep.ts";
import { troubleOf } from "../store/trouble.ts";
import { sweepBriefly } from "../upkeep/sweep.ts";

/** How often to look at a run that another process carries, or that waits for another run. */
const LOOK_AGAIN_MS = 200;

const PRESET_NAMES = Object.keys(PRESETS);

const BY = byCommand("import");

export const importFile = defineCommand({
  name: "import",
  summary: "Imports one file straight into the data directory",
  argument: "FILE",
  options: {
    "dry-run": { type: "boolean", help: "plans only: nothing is applied" },
    connection: { type: "string", value: "SLUG", help: "the connection it is for (csv)" },
    preset: { type: "string", value: "NAME", help: `headers and defaults of ${PRESET_NAMES.join(", ")}` },
    entity: { type: "string", value: "users|departments", help: "what the file holds, if its columns do not show it" },
    coverage: { type: "string", value: "full|diff", help: "everybody, or only those who changed" },
    charset: { type: "string", value: "NAME", help: "its encoding, if it is a text that is not UTF-8 (windows-1252)" },
    organization: { type: "string", value: "SLUG", help: "the organization it is for (default)" },
    json: { type: "boolean", help: "prints the run as JSON" },
  },
  run: async (values, terminal, path) => {
    const preset = oneOf("--preset", values.preset, PRESET_NAMES);
    const input: DropInput = {
      name: basename(path),
      contentType: withCharset("application/octet-stream", charsetNamed(values.charset)),
      mode: values["dry-run"] ? "plan" : "auto",
      entity: oneOf("--entity", values.entity, ["users", "departments"]),
      coverage: oneOf("--coverage", values.coverage, ["full", "diff"]),
    };
    const progress = createProgress(terminal);
    const onRead = (done: number) => progress.show({ phase: "storing the file", done, total: file.bytes });
    const file = await openFile(path, onRead).catch((cause) => {
      throw new Fault("not_found", `Cannot read ${path}`, { cause });
    });
    return await withHub(terminal, async (hub) => {
      await followConnectors(hub);
      const organization = await loadOrganization(hub, values.organization);
      try {
        const connection = await loadConnection(hub, organization.id, values.connection, preset);
        const { runId } = await receiveDrop(hub, connection, input, file.stream, BY);
        const reached = await carry(hub, organization.id, runId, terminal, progress);
        progress.end();
        const code = await report(hub, reached, path, values.json ?? false, terminal);
        await sweepBriefly(hub).catch(() =>
          terminal.err("Old data could not be deleted now; the next import does it\n")
        );
        return code;
      } finally {
        progress.end();
        await file.stream.cancel().catch(() => {});
      }
    });
  },
});

/** The named connection. With a preset and no name, the connection named like the preset, which is made at first use. */
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
        settingsOf: hub.registry.get("csv-upload")!.version,
        key: null,
        mapping: {},
        policy: {},
        limits: {},
      },
      hub.now(),
      BY,
      { fields: await loadFieldsToMake(hub.db, organizationId, preset) },
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
  const connector = connectorFor(hub.registry, found);
  if (connector === undefined) throw new Fault("unprocessable", missingConnector(found));
  if (connector.input !== "drop") {
    throw new Fault("unprocessable", `The connection "${slug}" takes no files`);
  }
  if (found.pausedAt !== null) throw new Fault("conflict", `The connection "${slug}" is paused: resume it first`);
  return found;
}

interface Reached {
  readonly run: StoredRun;
  /** The held run that has to be decided before this one can go on. */
  readonly waitsFor: string | null;
}

/** Carries the run, or watches the process that does, until it has ended, waits for a decision, or is interrupted. */
async function carry(
  hub: CommandHub,
  organizationId: number,
  runId: number,
  terminal: Terminal,
  progress: ProgressView,
): Promise<Reached> {
  const interrupt = new AbortController();
  const restore = terminal.onInterrupt(() => interrupt.abort());
  const owner = createOwner(hub.isEmbedded);
  const options = {
    signal: interrupt.signal,
    owner: owner.name,
    isGone: owner.isGone,
    rethrow: true,
    onProgress: progress.show,
    staging: hub.staging,
    batchMs: BATCH_MS,
    pause: createPause(),
  };
  const next = async (): Promise<Reached | null> => {
    const carried = await runNext(hub, { ...options, runId });
    const run = (await findRun(hub.db, organizationId, runId))!;
    if (isAtRest(run.run.status) || interrupt.signal.aborted) return { run, waitsFor: null };
    const held = await findHeld(hub, run);
    if (held !== null) return { run, waitsFor: held };
    // Other runs may have to be carried first.
    if (carried === null && (run.run.status !== "queued" || await runNext(hub, options) === null)) {
      if (run.run.progress !== null) progress.show(run.run.progress);
      await sleep(LOOK_AGAIN_MS);
    }
    return null;
  };
  const patience = createPatience(hub, runId, terminal);
  try {
    for (;;) {
      const reached = await next().then((result) => {
        patience.renew();
        return result;
      }, patience.waitAfter);
      if (reached !== null) return reached;
    }
  } finally {
    restore();
  }
}

/** How long a database on a server may be away while a run is carried. */
const AWAY_MS = 120_000;

/** Waits after errors that pass by themselves, for a time, and says so. The run is stored, and goes on where it was. */
function createPatience(hub: Hub, runId: number, terminal: Terminal) {
  const say = createWaiting(terminal);
  let since: number | null = null;
  return {
    renew: () => void (since = null),
    async waitAfter(error: unknown): Promise<null> {
      const trouble = troubleOf(error);
      if (trouble === null) throw error;
      since ??= hub.now();
      if (!trouble.passes || hub.now() - since > AWAY_MS) {
        const goesOn = `The run ${encodeId("run", runId)} goes on when "muster serve" or the next import runs`;
        throw new Fault("unavailable", `${trouble.message}. ${goesOn}`);
      }
      say(trouble);
      await sleep(LOOK_AGAIN_MS);
      return null;
    },
  };
}

const PAUSE_EVERY_MS = 60;
/** No requests wait here, but a hub may run beside this process. */
const BATCH_MS = 2_000;

/** Lets signals in. Only a timer does that, which takes a millisecond, so not every step has one. */
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
  // A plan alone can be made at any time.
  if (run.status !== "queued" || run.mode === "plan") return null;
  const met = run.waitsFor === null ? null : await findRun(hub.db, run.organizationId, run.waitsFor);
  if (met?.run.status === "held") return encodeId("run", met.run.id);
  // A full input may supersede the held run, until it is known that it does not.
  if (run.coverage === "full") return null;
  const filter = { connectionId: run.connectionId, status: "held" as const, sentBy: null };
  const [held] = await listRuns(hub.db, run.organizationId, filter, { before: run.id, limit: 1 });
  return held === undefined ? null : encodeId("run", held.run.id);
}

/** Issues of the whole input that are printed, at most. */
const SHOWN = 20;

/** Prints what the run came to and writes its failure report; returns the exit code. */
async function report(
  hub: Hub,
  { run, waitsFor }: Reached,
  path: string,
  json: boolean,
  terminal: Terminal,
): Promise<number> {
  const view = viewRun(run);
  const ended = isAtRest(run.run.status);
  // An input that was refused as a whole has no rows to correct, only the reason.
  const hasRows = ended && (run.run.error === null || view.counts.read > 0);
  // The summary is printed even if the report cannot be written.
  const written = hasRows ? await writeFailures(hub, run, path).catch((error: Error) => error) : null;
  if (json) terminal.out(JSON.stringify(view, null, 2));
  const print = (line: string) => json ? terminal.err(`${line}\n`) : terminal.out(line);
  if (waitsFor !== null) {
    print(`The run ${view.id} waits behind ${waitsFor}, which is held: approve or cancel that one first`);
    return HELD;
  }
  if (!ended) {
    print(`Interrupted; nothing is lost: the run ${view.id} goes on when "muster serve" or the next import runs`);
    return FAILED;
  }
  for (const { severity, message, suggestion } of ended ? await wholeInputIssues(hub.db, run, SHOWN) : []) {
    print(`${severity === "error" ? "Error" : "Warning"}: ${message}. ${suggestion}`);
  }
  for (const line of summarize(view, written instanceof Error ? null : written)) print(line);
  if (written instanceof Error) throw written;
  return exitCodeOf(view);
}

function charsetNamed(label: string | undefined): string | null {
  if (label === undefined) return null;
  const charset = findCharset(label);
  if (charset === null) throw new Fault("invalid_request", `--charset is ${charsetProblem(label)}`);
  return charset;
}

function oneOf<T extends string>(option: string, value: string | undefined, known: readonly T[]): T | null {
  if (value === undefined) return null;
  if ((known as readonly string[]).includes(value)) return value as T;
  throw new Fault("invalid_request", `${option} is "${value}": it should be one of ${known.join(", ")}`);
}
