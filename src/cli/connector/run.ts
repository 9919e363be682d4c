/** `muster connector run DIR --dry-run`: reads a source, or a file, by the author's connector on a hub of its own. */
import { openTrial, type TrialRun } from "../../kit/trial.ts";
import { Fault } from "../../model/errors.ts";
import { DONE, FAILED, ROW_ERRORS, type Terminal } from "../../runtime/command.ts";
import { connectionOf, type ConnectionValues, outboundOf, readOf, type ReadValues } from "./given.ts";
import { loadFrom } from "./load.ts";
import { linesOf } from "./shown.ts";

export interface RunValues extends ConnectionValues, ReadValues {
  readonly "dry-run"?: boolean;
  readonly json?: boolean;
}

export async function runConnector(values: RunValues, terminal: Terminal, place: string): Promise<number> {
  if (values["dry-run"] !== true) {
    throw new Fault("invalid_request", "Only a dry run is done without a hub: add --dry-run");
  }
  const outbound = outboundOf(values, terminal);
  const { connector, end } = await loadFrom(place, terminal.base);
  const read = readOf(connector, values, terminal);
  const connection = await connectionOf(connector, values, terminal);
  const interrupt = new AbortController();
  const restore = terminal.onInterrupt(() => interrupt.abort(new Fault("run_failed", "Interrupted")));
  const trial = await openTrial({ connector, ...connection, outbound });
  try {
    const run = await trial.run({ mode: "plan", ...read, signal: interrupt.signal });
    if (values.json) terminal.out(JSON.stringify(run, null, 2));
    else for (const line of linesOf(run)) terminal.out(line);
    return codeOf(run);
  } finally {
    restore();
    trial.close();
    await end();
  }
}

function codeOf({ error, status, counts }: TrialRun): number {
  if (error !== null || status === "failed") return FAILED;
  return counts.failed > 0 ? ROW_ERRORS : DONE;
}
