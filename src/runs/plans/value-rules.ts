/** How a connection's values are read: its settings, with the defaults of its organization. */
import { type Traced, traceLayers, valuesOf } from "../../model/layers.ts";
import type { ActiveWords, DateFormat } from "../../model/value-settings.ts";
import { createPhones, type Phones } from "../../reconcile/phones.ts";
import type { Stage } from "../stage.ts";

export interface ValueRules {
  readonly dateFormat: DateFormat;
  readonly activeWords: ActiveWords;
  readonly phones: Phones;
}

/** The settings that values are read by. */
interface ValueSettings {
  readonly date_format: DateFormat;
  readonly active_words: ActiveWords;
  readonly phone_country: string | null;
}

export function valueRulesOf(stage: Pick<Stage, "connection" | "organization">): ValueRules {
  const { date_format, active_words, phone_country } = valuesOf(traceValueSettings(stage));
  return { dateFormat: date_format, activeWords: active_words, phones: createPhones(phone_country) };
}

/** The settings, and whether the connection, its organization or nothing sets them. */
export function traceValueSettings(
  { connection, organization }: Pick<Stage, "connection" | "organization">,
): Traced<ValueSettings> {
  const { date_format, active_words, phone_country } = connection.settings as Partial<ValueSettings>;
  return traceLayers<ValueSettings>(
    ["default", { date_format: "YYYY-MM-DD", active_words: {}, phone_country: null }],
    ["organization", { phone_country: organization.phoneCountry ?? undefined }],
    ["connection", { date_format, active_words, phone_country: phone_country ?? undefined }],
  );
}
