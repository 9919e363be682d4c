/** `muster connector record DIR`: reads a source, and writes its answers as a tape for tests, with everybody in it replaced. */
import { mkdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { recordTape } from "../../kit/record/record.ts";
import { wordsOf } from "../../kit/record/words.ts";
import { writeTape } from "../../kit/tape.ts";
import { Fault } from "../../model/errors.ts";
import { DONE, type Terminal } from "../../runtime/command.ts";
import { connectionOf, type ConnectionValues, outboundOf } from "./given.ts";
import { loadFrom } from "./load.ts";
import { printable } from "./text.ts";

export interface RecordValues extends ConnectionValues {
  readonly out?: string;
}

export async function recordSource(values: RecordValues, terminal: Terminal, place: string): Promise<number> {
  const outbound = outboundOf(values, terminal), base = fileURLToPath(terminal.base);
  const interrupt = new AbortController();
  const restore = terminal.onInterrupt(() =>
    interrupt.abort(new Fault("run_failed", "Interrupted: nothing is written"))
  );
  const { signal } = interrupt;
  const { connector, bundle, folder, end } = await loadFrom(place, terminal.base, { signal });
  try {
    if (connector.input === "drop") {
      throw new Fault("unprocessable", `The connector "${connector.title}" takes files: there is no source to record`);
    }
    const { settings, secrets = {} } = await connectionOf(connector, values, terminal);
    const words = await wordsOf(bundle.inputs, folder);
    const { tape, counts, kept } = await recordTape({ connector, words, settings, secrets, outbound, signal });
    const file = values.out === undefined ? join(folder, "tapes", `${connector.name}.json`) : resolve(base, values.out);
    mkdirSync(dirname(file), { recursive: true });
    writeTape(file, tape.exchanges);
    const people = [...counts].map(([entity, count]) => `${count} ${entity}`).join(", ");
    terminal.out(`${relative(base, file)} has ${tape.exchanges.length} answers with ${people}, all with other values`);
    for (const value of kept) terminal.out(`  kept, as your code has it: ${printable(value)}`);
    terminal.out("Hosts and settings are kept in the addresses that are asked. Look at the file before you publish it");
    return DONE;
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    restore();
    await end();
  }
}
