/** Reads all people of an account for a run: everybody once, or a fault with the reason why not. */
import { type FetchContext, type FetchedRows, SourceFault } from "../../src/connector.ts";
import { createAsk } from "./ask.ts";
import { BrokenReply } from "./cut.ts";
import { costOf, type Wanted, wantedFields } from "./fields.ts";
import { chooseSource, readAll } from "./read.ts";
import { createSeen, neededHidden, type Seen, StaleRead, withheldOf } from "./seen.ts";
import type { Settings } from "./settings.ts";
import { readStatuses, unknownStatuses } from "./statuses.ts";

/** Tries to read everybody when the data changes during the reading. */
const MAX_READS = 6;

export async function* fetchPeople(context: FetchContext<Settings>): AsyncGenerator<FetchedRows, void> {
  const ask = createAsk(context);
  const wanted = wantedFields(context.mapping);
  const source = await chooseSource(ask, context.settings.source, wanted);
  const statuses = context.onlyStatuses === null ? null : await readStatuses(ask);
  for (let reading = 1;; reading++) {
    const seen = createSeen();
    // Before reading, so that the warning also appears when reading fails.
    warnOfStatuses(context, statuses);
    try {
      for await (const { origin, people } of readAll(ask, source, wanted, seen, context.today)) {
        refuseUseless(seen, wanted, context);
        yield { origin, records: people.map(({ record }) => record) };
      }
      if (seen.ids.size === 0) {
        throw new SourceFault(
          "credentials",
          "BambooHR shows no employees at all: the key's user probably may not see any",
        );
      }
      if (statuses === null) warnOfUnseen(context, seen);
      return warnOfWithheld(context, seen, wanted);
    } catch (error) {
      if (!(error instanceof StaleRead || error instanceof BrokenReply)) throw error;
      if (reading === MAX_READS) {
        throw new SourceFault("connection", `${error.message}, ${MAX_READS} times in a row`, { cause: error });
      }
      context.log(`${error.message}: everybody is read anew`);
      await context.startOver();
    }
  }
}

/** Fails when a field is hidden for everybody without which an import would do harm. */
function refuseUseless(seen: Seen, wanted: readonly Wanted[], { onlyStatuses }: FetchContext<Settings>): void {
  const [field] = neededHidden(seen, wanted, onlyStatuses);
  if (field === undefined) return;
  throw new SourceFault(
    "credentials",
    `BambooHR shows nobody's "${field.name}", without which ${costOf(field)}: let the key's user see it`,
  );
}

function warnOfWithheld(context: FetchContext<Settings>, seen: Seen, wanted: readonly Wanted[]): void {
  const total = seen.ids.size;
  for (const field of wanted) {
    const n = withheldOf(seen, field.name);
    if (n === 0) continue;
    context.warn({
      code: "field_restricted",
      field: field.fills,
      message: `BambooHR does not show "${field.name}" of ${n === total ? "anybody" : `${n} of ${total} people`}: ${
        costOf(field)
      }`,
      suggestion: "Let the key's user see the field, or remove it from the mapping",
    });
  }
}

/** Warns of chosen statuses that nobody has. Used when BambooHR's list of statuses cannot be read. */
function warnOfUnseen(context: FetchContext<Settings>, seen: Seen): void {
  for (const status of unknownStatuses(context.onlyStatuses, [...seen.statuses])) {
    context.warn({
      code: "source_changed",
      field: "employment_status",
      message: `Nobody has the employment status "${status}", and the key may not read BambooHR's list of them`,
      suggestion: "Check that BambooHR still has it, and choose the connection's statuses again if not",
    });
  }
}

function warnOfStatuses(context: FetchContext<Settings>, known: readonly string[] | null): void {
  for (const status of unknownStatuses(context.onlyStatuses, known)) {
    context.warn({
      code: "status_not_in_source",
      field: "employment_status",
      message: `BambooHR has no employment status "${status}", which this connection should import`,
      suggestion: `Choose the connection's statuses again; BambooHR has ${known!.join(", ")}`,
    });
  }
}
