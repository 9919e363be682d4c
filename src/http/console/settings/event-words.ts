/** Types of events in words. No I/O. */
import { EVENT_TYPES, type EventType } from "../../../model/event.ts";

const WORDS: Readonly<Record<EventType, readonly [title: string, use: string]>> = {
  "run.completed": ["A run has ended", "to follow everything that is imported"],
  "run.failures": ["Rows could not be used", "to have somebody correct them, with a link to the report"],
  "run.held": ["A run waits for a decision", "to have somebody approve or cancel it"],
  "connection.error": ["A feed does not work", "after the third failure in a row"],
  "connection.recovered": ["A feed works again", "to close what its failure has opened"],
  "connection.overdue": ["A feed is late", "when nothing came by the time it should have"],
  "users.changed": ["People have changed", "to update other systems"],
  "endpoint.disabled": ["Another endpoint was switched off", "to notice that a receiver does not answer"],
  "retention.held": ["Erasing leavers waits for approval", "when more are due at once than may be erased"],
};

/** Boxes for each type of event. */
export const EVENT_TICKS = EVENT_TYPES.map((type) => ({
  value: type,
  title: WORDS[type][0],
  hint: `${WORDS[type][1]} (${type})`,
}));

export function eventInWords(type: string): string {
  return type === "endpoint.test" ? "A test" : WORDS[type as EventType]?.[0] ?? type;
}
