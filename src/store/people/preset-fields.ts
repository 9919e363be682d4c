/** Custom fields that a preset's files have, for an organization that has no such fields yet. */
import { getDictionary, type Preset as DictionaryPreset } from "../../intake/dictionary.ts";
import { foldHeader } from "../../intake/header.ts";
import { getPreset } from "../../model/preset.ts";
import type { CustomField } from "../../model/record.ts";
import type { Database } from "../database.ts";
import { loadCustomFields, MAX_CUSTOM_FIELDS } from "./custom-fields.ts";

/**
 * What is missing of them. A field that is there under any name that the preset knows it by, `state` for `province`, stays
 * as it is and is enough, whatever its type; and no more are made than there is room for.
 */
export function fieldsToMake(preset: string | null, known: readonly { readonly key: string }[]): CustomField[] {
  const { fields } = getPreset(preset);
  if (fields.length === 0) return [];
  const { aliases } = getDictionary(preset as DictionaryPreset, "users");
  const there = new Set(known.map(({ key }) => foldHeader(key)));
  return fields
    .filter(({ key }) => ![key, ...aliases[key] ?? []].some((name) => there.has(foldHeader(name))))
    .slice(0, Math.max(0, MAX_CUSTOM_FIELDS - known.length))
    .map(({ key, label, type = "text" }) => ({ key, label, type, required: false, options: [], maxLength: null }));
}

/** To be made in the write that gives a connection the preset. */
export async function loadFieldsToMake(
  db: Database,
  organizationId: number,
  preset: string | null | undefined,
): Promise<CustomField[]> {
  if (preset == null || getPreset(preset).fields.length === 0) return [];
  return fieldsToMake(preset, await loadCustomFields(db, organizationId));
}
