/**
 * Dictionaries: other headers for a field, beside its own name. Data only.
 *
 * The default dictionary has only headers that cannot mean anything else; a preset adds those of its system's files.
 * Earlier aliases of a field win over later ones.
 */
import type { Entity } from "../model/record.ts";

export interface Dictionary {
  readonly entity: Entity;
  /**
   * Headers by field, best first; compared like names, so case, spaces and `_ - .` do not matter. Custom fields that
   * the organization does not have are ignored, with their aliases.
   */
  readonly aliases: Readonly<Record<string, readonly string[]>>;
}

export type Preset = "default" | "betterworks" | "connecteam" | "ops-com";

/**
 * Fields with the opposite meaning of another: Connecteam's `Archive` column is `is_archived`, and its "yes" is a "no"
 * in `is_active`. An empty cell means nothing. An input has one of the two, and `is_active` wins.
 */
export const OPPOSITES: Readonly<Record<string, string>> = { is_archived: "is_active" };

/**
 * Aliases that beat the field's own name: beside a "Job Title", a "Title" is Ms or Dr.
 */
export const BEFORE_NAMES: Readonly<Record<string, readonly string[]>> = { title: ["job_title"] };

/** Also the headers of the user lists of Google Workspace, Microsoft Entra, BambooHR and Personio. */
const USERS: Dictionary["aliases"] = {
  employee_id: ["employee_number", "employee_no", "employee #", "emp_id", "personnel_number"],
  email: ["email_address", "work_email", "work_email_address", "mail", "user_principal_name"],
  first_name: ["given_name", "forename"],
  last_name: ["family_name", "surname"],
  preferred_name: ["preferred_first_name", "known_as"],
  title: ["job_title", "business_title", "employee_title", "position"],
  department_name: ["department", "dept"],
  manager_id: ["manager_employee_id", "manager_employee_number", "supervisor_eid", "supervisor_employee_id"],
  manager_email: ["manager_email_address", "supervisor_email", "manager_work_email"],
  location: ["work_location", "office_location", "office", "physical_delivery_office_name"],
  phone: ["phone_number", "work_phone", "telephone", "telephone_number", "business_phone"],
  mobile_phone: ["mobile", "mobile_number", "mobile_phone_number", "cell_phone"],
  hire_date: ["date_of_hire", "employment_start_date", "employee_hire_date"],
  deactivation_date: ["termination_date", "employment_end_date"],
  is_active: ["active", "account_enabled"],
  language: ["preferred_language", "locale"],
};

const DEPARTMENTS: Dictionary["aliases"] = {
  name: ["department_name", "department", "dept"],
  parent: ["parent_department", "parent_name", "parent_department_name"],
  department_id: ["dept_id"],
  is_active: ["active"],
};

/** Connecteam: the phone is the mobile phone, which is the person's key there. */
const CONNECTEAM: Dictionary["aliases"] = {
  mobile_phone: ["phone_number", "phone_no", "cell_phone", "mobile", "mobile_number"],
  is_archived: ["archive", "archived"],
};

/**
 * OPS-COM's names of attributes, some in Canadian and American spelling. Addresses, licences and the like are custom
 * fields, found under either spelling.
 */
const OPS_COM: Dictionary["aliases"] = {
  source_id: ["unique_id"],
  username: ["user_name"],
  mobile_phone: ["phone_cell"],
  employee_id: ["employ_no"],
  phone: ["employee_phone"],
  province: ["state"],
  state: ["province"],
  postal_code: ["zip"],
  zip: ["postal_code"],
  province2: ["state2"],
  state2: ["province2"],
  postal_code2: ["zip2"],
  zip2: ["postal_code2"],
  driver_licence_num: ["driver_license_num"],
  driver_license_num: ["driver_licence_num"],
  driver_licence_prov: ["driver_license_state"],
  driver_license_state: ["driver_licence_prov"],
};

// Betterworks' headers are the fields' own names; its two other ones are in the default dictionary.
const PRESETS: Readonly<Record<Preset, Dictionary["aliases"]>> = {
  default: {},
  betterworks: {},
  connecteam: CONNECTEAM,
  "ops-com": OPS_COM,
};

/** A preset's own aliases, then those of the default dictionary, except headers that the preset uses itself. */
/** The dictionaries of a connection's inputs. `preset`: of the connection, which may be none, or `custom`. */
export function dictionariesOf(preset: string | null): Readonly<Record<Entity, Dictionary>> {
  const name = (preset === null || preset === "custom" ? "default" : preset) as Preset;
  return { users: getDictionary(name, "users"), departments: getDictionary(name, "departments") };
}

export function getDictionary(preset: Preset, entity: Entity): Dictionary {
  if (entity === "departments") return { entity, aliases: DEPARTMENTS };
  const own = PRESETS[preset];
  const claimed = new Set(Object.values(own).flat());
  const aliases: Record<string, readonly string[]> = { ...own };
  for (const [field, headers] of Object.entries(USERS)) {
    aliases[field] = [...(own[field] ?? []), ...headers.filter((header) => !claimed.has(header))];
  }
  return { entity, aliases };
}
