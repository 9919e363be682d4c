/** Presets: a vendor's way of handing files over, as the defaults of a connection. Data only. */
import { DEFAULT_POLICY, type ResolvedPolicy } from "./reconcile/policy.ts";
import type { KeyField } from "./record.ts";

/** How its files come over SFTP, where a connection does not say otherwise. */
export interface PresetSftp {
  readonly folder: string;
  /** `at_once`: as soon as a file is whole; a number: every so many minutes; else daily at that time, `HH:MM`. */
  readonly when: "at_once" | number | `${number}:${number}`;
}

export interface Preset {
  readonly title: string;
  /** Null: the first input fixes it, the employee_id if there is such a column, else the email. */
  readonly key: KeyField | null;
  /** What a new user needs; null: what the organization requires. */
  readonly requiredForNew: readonly string[] | null;
  readonly policy: ResolvedPolicy;
  readonly sftp: PresetSftp;
}

export const PRESETS: Readonly<Record<"custom" | "betterworks" | "connecteam" | "ops-com", Preset>> = {
  custom: {
    title: "Custom",
    key: null,
    requiredForNew: null,
    policy: DEFAULT_POLICY,
    sftp: { folder: "/incoming", when: "at_once" },
  },
  betterworks: {
    title: "Betterworks",
    key: null,
    requiredForNew: ["email", "first_name", "last_name"],
    policy: DEFAULT_POLICY,
    sftp: { folder: "/incoming", when: "at_once" },
  },
  connecteam: {
    title: "Connecteam",
    key: "mobile_phone",
    requiredForNew: ["first_name", "last_name", "mobile_phone"],
    policy: { ...DEFAULT_POLICY, coverage: "diff", empty_cells: "keep" },
    sftp: { folder: "/Uploads", when: "06:00" },
  },
  "ops-com": {
    title: "OPS-COM",
    key: "source_id",
    requiredForNew: [],
    policy: DEFAULT_POLICY,
    sftp: { folder: "/", when: 5 },
  },
};

export function getPreset(name: string | null): Preset {
  return PRESETS[name as keyof typeof PRESETS] ?? PRESETS.custom;
}
