/** Custom fields for the columns of a preset's files, which an organization may not have yet. */
import { getDictionary, type Preset as DictionaryPreset } from "../../intake/dictionary.ts";
import { foldHeader } from "../../intake/header.ts";
import { getPreset } from "../../model/preset.ts";
import type { CustomField } from "../../model/record.ts";
import type { Database } from "../database.ts";
import { loadCustomFields, MAX_CUSTOM_FIELDS } from "./custom-fields.ts";

/**
 * The fields that are missing. A field that exists under any name that the preset has for it, such as `state` for
 * `province`, is enough, whatever its type. No more fields are given than an organization may still have.
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

/** The fields to create in the write that gives a connection the preset. */
export async function loadFieldsToMake(
  db: Database,
  organizationId: number,
  preset: string | null | undefined,
): Promise<CustomField[]> {
  if (preset == null || getPreset(preset).fields.length === 0) return [];
  return fieldsToMake(preset, await loadCustomFields(db, organizationId));
}
