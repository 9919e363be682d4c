/** Codes of sources that the hub reads by itself. No I/O. */
import { helps } from "./help.ts";

const NOBODY = "Nobody changes, unless a part was read before: that is used, and nobody is taken for missing";

export const SOURCES = helps({
  source_unreachable: {
    when: "The source did not answer, or kept answering that it is unavailable",
    then: `${NOBODY}. It is tried again by itself`,
    todo: "Nothing, if it is the first time. Otherwise ask the administrator of the source whether it is up",
    example: { of: "Address of the source", before: "https://hr.old.example.com", after: "https://hr.example.com" },
  },
  source_refused: {
    when: "The source does not accept the connection's credentials, or does not let them read what is needed",
    then: NOBODY,
    todo: "Give the connection new credentials, or their owner the permissions that the message names; then sync again",
    example: { of: "API key of the connection", before: "revoked in the source", after: "a new key of the source" },
  },
  source_unreadable: {
    when: "The source answered with something else than it should",
    then: NOBODY,
    todo:
      "Read what the message says, and check the source with the connection's check. If you cannot, send the message " +
      "to your administrator",
    example: { of: "Answer of the source", before: "a page with a form to sign in", after: "a list of people" },
  },
  source_misconfigured: {
    when: "The source cannot be read as the connection's settings say",
    then: NOBODY,
    todo: "Correct the settings that the message names, and try the connection's check",
    example: { of: "Subdomain, a setting", before: "https://acme.example.com", after: "acme" },
  },
  secrets_required: {
    when: "The connection lacks a secret, perhaps since a setting was changed that decides where secrets go",
    then: "Nothing is read until it is set: nobody changes",
    todo: "Set the secrets that the message names, or authorize the connection again",
    example: { of: "API key of the connection", before: "", after: "the key of the source" },
  },
  connector_failed: {
    when: "The connector itself has an error: neither the source nor the connection's settings are wrong",
    then: NOBODY,
    todo: "Ask the people who maintain the connector, and show them what the message says",
    example: { of: "Version of the connector", before: "1.0.0", after: "1.0.1, with the error corrected" },
  },
  connector_missing: {
    when: "The hub does not have the connector, or the version of it that the connection is pinned to",
    then: "Nothing is read: nobody changes until the connector is back; the connection and its secrets are kept",
    todo: "Ask the operator of the hub to add it again",
    example: {
      of: "Connectors of the hub",
      before: "acme-payroll is not installed",
      after: "acme-payroll 1.0.0 is installed",
    },
  },
  connector_row_failed: {
    when: "The connector failed on this row, so the row was not used",
    then: "The person stays as they are; all other rows are used",
    todo:
      "Ask the people who maintain the connector: nothing is wrong with your data. The hub's log has the place in its code",
    example: { of: "Version of the connector", before: "1.0.0", after: "1.0.1, which reads the row" },
  },
  connector_field_unknown: {
    when: "The connector gives a field that the hub does not have, so its values were not used",
    then: "All other fields are used",
    todo: "Make a custom field with this key, or ask the people who maintain the connector; or do nothing",
    example: { of: "Custom fields", before: "none with the key shirt_size", after: "shirt_size: Shirt size" },
  },
  fetch_incomplete: {
    when: "The source could not be read to its end, so nobody was taken for missing; what was read was used",
    then: "It is tried again by itself",
    todo: "Nothing, if it is the first time. Otherwise ask the administrator of the source why it breaks off",
    example: { of: "Read from the source", before: "300 people, of 500", after: "500 people, of 500" },
  },
  field_restricted: {
    when: "The source does not let the connection's credentials read a field, so the field was left as it was",
    then: "Nobody's value is cleared; all other fields are used",
    todo: "Give the credentials' owner the permission to read the field, or do nothing if it is not wanted",
    example: { of: "Permission in the source", before: "Hire date: no access", after: "Hire date: read" },
  },
  source_changed: {
    when: "The source has changed in a way that the connection should follow",
    then: "What can be read is used as before",
    todo: "Read what the message says, and adapt the connection's settings",
    example: {
      of: "Statuses to import",
      before: "Full-Time, which nobody has any more",
      after: "Full time",
    },
  },
  status_not_in_source: {
    when: "A status that the connection should import does not exist in the source any more",
    then: "People with the other chosen statuses are imported as before",
    todo: "Choose the statuses of the connection again",
    example: { of: "Statuses to import", before: "Full-Time", after: "Full time" },
  },
});
