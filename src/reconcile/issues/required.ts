/** Issues of fields that a row must have, and of a status that it should. Pure. */
import type { Issue } from "../../model/record.ts";

export function missingKey(field: string): Issue {
  return {
    severity: "error",
    code: "required_field_missing",
    field,
    value: null,
    message: `Cannot tell who this row is about: ${field} is empty, and this connection knows people by it`,
    suggestion: `Fill in ${field}`,
  };
}

export function missingField(field: string): Issue {
  return {
    severity: "error",
    code: "required_field_missing",
    field,
    value: null,
    message: `Cannot leave ${field} empty: everybody here needs one`,
    suggestion: `Fill in ${field}`,
  };
}

export function missingForNew(field: string): Issue {
  return {
    severity: "error",
    code: "required_field_missing",
    field,
    value: null,
    message: `Cannot add a new person without ${field}: everybody here needs one`,
    suggestion: `Fill in ${field}`,
  };
}

export function unknownStatus(): Issue {
  return {
    severity: "warning",
    code: "status_unknown",
    field: "employment_status",
    value: null,
    message:
      "Cannot tell whether this person is to be imported: employment_status is empty, and should be one of the source's statuses",
    suggestion: "Fill in employment_status",
  };
}

export function missingName(): Issue {
  return {
    severity: "error",
    code: "required_field_missing",
    field: "name",
    value: null,
    message: "Cannot tell which department this row is about: name is empty, and every department needs one",
    suggestion: "Fill in name",
  };
}
