/** Presets: how a vendor sends its files, as the defaults of a connection. Data only. */
import type { ResolvedPolicy } from "./policy.ts";
import type { CustomField, KeyField } from "./record.ts";

/** How its files come over SFTP, unless the connection has other settings. */
export interface PresetSftp {
  readonly folder: string;
  /** `at_once`: as soon as a file is complete; a number: every so many minutes; else daily at that time, `HH:MM`. */
  readonly when: "at_once" | number | `${number}:${number}`;
}

/** A custom field for a column of its files. */
export interface PresetField {
  readonly key: string;
  readonly label: string;
  /** Default: text. */
  readonly type?: CustomField["type"];
}

/** A field, or several of which one is needed. */
export type Requirement = string | readonly string[];

export interface Preset {
  readonly title: string;
  /** Null: the first input decides, employee_id if it has that column, else email. */
  readonly key: KeyField | null;
  /** What a new user needs; null: the fields that the organization requires. */
  readonly requiredForNew: readonly Requirement[] | null;
  /** Where it differs from the default policy. */
  readonly policy: Partial<ResolvedPolicy>;
  readonly sftp: PresetSftp;
  /** Created with the first connection of the preset, unless the organization has such fields (preset-fields.ts). */
  readonly fields: readonly PresetField[];
}

/** Fields of OPS-COM's user API besides the hub's own; other spellings are in the dictionary. */
const OPS_COM_FIELDS: readonly PresetField[] = [
  { key: "street", label: "Street" },
  { key: "city", label: "City" },
  { key: "province", label: "Province" },
  { key: "postal_code", label: "Postal code" },
  { key: "street2", label: "Street of the second address" },
  { key: "city2", label: "City of the second address" },
  { key: "province2", label: "Province of the second address" },
  { key: "postal_code2", label: "Postal code of the second address" },
  { key: "login_source", label: "Login source" },
  { key: "user_type_id", label: "User type" },
  { key: "student_no", label: "Student number" },
  { key: "student_phone", label: "Student phone" },
  { key: "driver_licence_num", label: "Driver licence number" },
  { key: "driver_licence_prov", label: "Driver licence province" },
  { key: "date_of_birth", label: "Date of birth", type: "date" },
  { key: "locker_user_type_id", label: "Locker user type" },
];

export const PRESETS: Readonly<Record<"custom" | "betterworks" | "connecteam" | "ops-com", Preset>> = {
  custom: {
    title: "Custom",
    key: null,
    requiredForNew: null,
    policy: {},
    sftp: { folder: "/incoming", when: "at_once" },
    fields: [],
  },
  betterworks: {
    title: "Betterworks",
    key: null,
    requiredForNew: ["email", "first_name", "last_name"],
    policy: {},
    sftp: { folder: "/incoming", when: "at_once" },
    fields: [],
  },
  connecteam: {
    title: "Connecteam",
    key: "mobile_phone",
    requiredForNew: ["first_name", "last_name", "mobile_phone"],
    policy: { coverage: "diff", empty_cells: "keep" },
    sftp: { folder: "/Uploads", when: "06:00" },
    fields: [],
  },
  "ops-com": {
    title: "OPS-COM",
    key: "source_id",
    requiredForNew: [["first_name", "last_name"]],
    policy: {},
    sftp: { folder: "/", when: 5 },
    fields: OPS_COM_FIELDS,
  },
};

export function getPreset(name: string | null): Preset {
  return PRESETS[name as keyof typeof PRESETS] ?? PRESETS.custom;
}
