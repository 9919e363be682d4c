/** How a connection's values are read: its settings, with the defaults of its organization. */
import type { ActiveWords, DateFormat } from "../../model/value-settings.ts";
import { createPhones, type Phones } from "../../reconcile/phones.ts";
import type { Stage } from "../stage.ts";

export interface ValueRules {
  readonly dateFormat: DateFormat;
  readonly activeWords: ActiveWords;
  readonly phones: Phones;
}

export function valueRulesOf({ connection, organization }: Pick<Stage, "connection" | "organization">): ValueRules {
  const { date_format, active_words, phone_country } = connection.settings as {
    readonly date_format?: DateFormat;
    readonly active_words?: ActiveWords;
    readonly phone_country?: string;
  };
  return {
    dateFormat: date_format ?? "YYYY-MM-DD",
    activeWords: active_words ?? {},
    phones: createPhones(phone_country ?? organization.phoneCountry),
  };
}
