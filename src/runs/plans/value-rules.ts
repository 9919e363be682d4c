/** How a connection's values are read: its settings, with the defaults of its organization. */
import type { ActiveWords, DateFormat } from "../../model/value-settings.ts";
import type { Stage } from "../stage.ts";

export interface ValueRules {
  readonly dateFormat: DateFormat;
  readonly activeWords: ActiveWords;
}

export function valueRulesOf({ connection }: Pick<Stage, "connection">): ValueRules {
  const { date_format, active_words } = connection.settings as {
    readonly date_format?: DateFormat;
    readonly active_words?: ActiveWords;
  };
  return { dateFormat: date_format ?? "YYYY-MM-DD", activeWords: active_words ?? {} };
}
