/**
 * The table of issue codes: when each is reported, and what a person can do about it.
 *
 * Codes are stable: reports, events and pages name them. The hub serves each row as the page that a report links to.
 * No I/O. No clock.
 */

/** `when`: what has happened, as a sentence; `todo`: what the maintainer of the source can do about it. */
export const CODES = {
  // Values
  required_field_missing: {
    when: "A field that every person or department must have is empty, or a new one comes without it",
    todo: "Fill in the field in your source, or in this report, and send it again",
  },
  email_invalid: {
    when: "The value is not an email address",
    todo: "Correct the address: one name, one @, and a domain with an ending, like ana@acme.com",
  },
  alphabets_mixed: {
    when: "An email address has letters of two alphabets that look alike, such as a Cyrillic а among Latin letters",
    todo: "If the address should have one alphabet, type it again in your source; otherwise do nothing",
  },
  too_long: {
    when: "The value has more characters than the field can hold",
    todo: "Shorten the value to the length that the message names",
  },
  date_invalid: {
    when: "The value is not a date in the form that this connection expects, or there is no such day",
    todo:
      "Write the date in the form that the message names; if all dates of the source have another form, set the connection's date_format",
  },
  value_invalid: {
    when: "The value has another form than its field needs",
    todo: "Correct the value as the message says, or leave the cell empty",
  },
  option_unknown: {
    when: "The value is none of the options of its field",
    todo: "Use one of the options that the message names, or add the option to the custom field",
  },
  number_mangled: {
    when:
      "A spreadsheet has taken an id or a phone number for a number or a date, and changed it, like 1.23457E+11, 1005.0 or 10-Mar",
    todo: "Set the column's format to text in the spreadsheet, enter the full value again, and send the file again",
  },
  text_damaged: {
    when:
      "Letters of the value were lost on its way: they are replacement characters, question marks, or encoded twice",
    todo: "Save or export the file as UTF-8 and send it again; until then what is known of the person stays",
  },
  spreadsheet_error: {
    when: "The cell holds an error of a spreadsheet, like #N/A or #REF!, instead of a value",
    todo:
      "Correct the formula in the spreadsheet, and send the file again; until then what is known of the person stays",
  },
  placeholder_value: {
    when: "Cells of a column hold a placeholder, like n/a, NULL or -, which says nothing about the person",
    todo: "Nothing, if it means that there is no value; to clear a field, leave its cell empty",
  },
  html_entity: {
    when: "Cells of a column hold characters as web pages write them, like &amp; for &; they were taken as they are",
    todo: "Let the export write plain text, and send it again",
  },
  zeros_lost: {
    when:
      "The id is that of somebody once zeros are put in front of it: a spreadsheet has probably removed them. Nobody new is made of it, and a known person keeps the id with its zeros",
    todo: "Set the column's format to text, or write the id with a leading apostrophe, like '000123",
  },
  status_unknown: {
    when: "The connection imports only some employment statuses, and this row does not say which one it has",
    todo: "Fill in employment_status; until then the person's status is left as it is",
  },
  filter_unclear: {
    when: "The connection imports only some rows, by a column that is empty in this row or holds no value",
    todo:
      "Fill in the column; until then nobody new is created from the row, and the status of others is left as it is",
  },
  filter_column_missing: {
    when: "The connection imports only some rows, by a column that this input does not have; nobody was left out by it",
    todo: "Send the column, or correct its name in the connection's policy only_rows",
  },
  status_blank: {
    when: "The status column is empty in this row, though this connection has read statuses there",
    todo: "Write yes or no in the column; until then nobody new is created, and the status of others is left as it is",
  },
  status_disagrees: {
    when: "The row says that the person is active, and has a deactivation_date that has come; they count as inactive",
    todo: "Correct the one that is wrong: take the date out for people who are back",
  },
  status_unclear: {
    when:
      "A column looks like employment statuses and says of some people that they have left, but nothing tells the hub to use it",
    todo:
      "Map the column to is_active, or to employment_status with the policy only_statuses; to import everybody, map it to nothing",
  },
  date_order_suspect: {
    when:
      "Dates of the column fit only the order of day and month that is not declared, so those that fit both orders were not used",
    todo: "Set the connection's date_format to the order of the source, and send the file again",
  },

  // Rows
  cell_count: {
    when: "The row has more cells than the header, or so few that its values may not be under their headers",
    todo: "Look for a missing or surplus delimiter in the row; put quotes around values that contain the delimiter",
  },
  row_is_total: {
    when: "The row is no person: it seems to be a total or a remark, as reports write them below their rows",
    todo: "Take the row out of the file, or let the report be written without totals",
  },
  duplicate_in_input: {
    when: "Two or more rows have the same key, or two active rows the same email; none of them is applied",
    todo: "Keep the one row that is right, remove the others, and send it again",
  },
  identity_conflict: {
    when: "The row fits two different people, or contradicts what is known of the one it fits",
    todo:
      "Check the id and the email of both people that the message names, and correct the one that is wrong; where " +
      "the run's page asks who is meant, answer there",
  },
  rehired_as_new: {
    when:
      "A new person has the address and a name of somebody who has left by a row of their own, under another id: the old record stays as it is",
    todo: "If both are one person, take the row of the old id out of the file, or give the old record the new id",
  },
  source_conflict: {
    when: "Another connection with a higher priority, or an older one, has this field, so the value was not taken over",
    todo: "Correct the value in the other source, or change the priority of the connections; otherwise do nothing",
  },
  field_kept: {
    when: "The field was edited by hand, and this connection keeps what was edited by hand",
    todo: "Release the field if the source is right; otherwise do nothing",
  },
  status_kept_by_hand: {
    when: "The person was set inactive by hand, and the source has not changed its own status since",
    todo: "Set the person active by hand if the source is right; otherwise do nothing",
  },
  active_elsewhere: {
    when: "This source would deactivate the person, but another connection says that they are active",
    todo: "Check which source is right, and remove the person from the other one if they have left",
  },
  policy_off: {
    when: "The row would make a kind of change that the connection's policy switches off",
    todo: "Switch that kind of change on in the connection's policy if it is wanted; otherwise do nothing",
  },
  protected_user: {
    when: "The person is on the connection's list of people that no run deactivates",
    todo: "Take the person off the list if they have really left; otherwise do nothing",
  },
  changed_since_plan: {
    when: "The person was changed after the plan was made, so the planned change was not applied",
    todo: "Nothing: the next run looks at the row again",
  },
  not_reverted: {
    when: "The person was changed again after the run that is reverted, so that later change was kept",
    todo: "Look at the person, and correct them by hand if needed",
  },

  // Managers
  manager_not_found: {
    when: "Nobody answers to the manager that the row names, so the manager was left as it was",
    todo: "Correct the manager's id or email, or add the manager; the hub tries again whenever somebody is added",
  },
  manager_disagrees: {
    when: "The manager's id and the manager's email belong to two different people; the id was used",
    todo: "Correct the one that is wrong, or leave it out",
  },
  manager_is_self: {
    when: "The row names the person as their own manager",
    todo: "Name another manager, or leave it empty for the top of the organization",
  },
  manager_cycle: {
    when: "Following the managers upwards leads back to where it started",
    todo: "Correct one of the managers on the path that the message names",
  },

  // Departments
  department_inactive: {
    when: "The row names a department that is inactive, so the person's department was left as it was",
    todo: "Name an active department, or activate this one",
  },
  department_parent_not_found: {
    when: "There is no department with the name given as parent",
    todo: "Correct the parent's name, or add a row for it",
  },
  department_cycle: {
    when: "Following the parents upwards leads back to where it started",
    todo: "Correct one of the parents on the path that the message names",
  },
  department_has_active_users: {
    when: "The department should become inactive, but active people are still in it",
    todo: "Move those people to another department; the hub tries again after the next run of people",
  },

  // The whole input
  encoding_invalid: {
    when: "The file is not text in the encoding that it should have, or of another kind: a web page, XML, a PDF",
    todo: "Save it again as CSV in UTF-8 or as a workbook (.xlsx), or set the connection's charset",
  },
  delimiter_ambiguous: {
    when: "More than one character could be what separates the cells",
    todo: "Set the delimiter in the connection's settings, or put quotes around values that contain the other one",
  },
  quote_invalid: {
    when: "A quoted cell is not closed where it should be",
    todo: "Go to the line that the message names, close the quote, and write quotes inside a quoted value twice",
  },
  workbook_invalid: {
    when:
      "The file is a workbook or an archive that cannot be read: damaged, protected, with macros, or of another kind",
    todo: "Do what the message says: mostly, open it in a spreadsheet and save it as .xlsx or CSV",
  },
  json_invalid: {
    when: "The input should be JSON and is not, or an element of it is not an object",
    todo: "Correct it at the place that the message names",
  },
  header_missing: {
    when: "The column that says who a row is about is not there",
    todo: "Add the column under one of the names in the message, or set the connection's key, mapping or skip_lines",
  },
  header_duplicate: {
    when: "Two columns have the same name, so it is not clear which one counts",
    todo: "Rename or remove one of them",
  },
  header_unknown: {
    when: "A column's name is not known, so the column was not processed",
    todo: "Rename the column if it is a misspelling, map it, add a custom field for it, or do nothing",
  },
  header_unused: {
    when: "Two columns stand for the same field, and this one was not used",
    todo: "Remove the column that is not wanted, or map the right one",
  },
  column_vanished: {
    when: "A column that the last file had is not in this one, so its field was left as it was",
    todo: "Check the export; do nothing if the column was taken out on purpose",
  },
  status_not_in_source: {
    when: "A status that the connection should import does not exist in the source any more",
    todo: "Choose the statuses of the connection again",
  },
  cells_missing: {
    when: "Rows have fewer cells than the header: those that are missing at their ends were left as they are",
    todo: "Nothing, if a spreadsheet has left empty cells out; to clear fields, send the empty cells",
  },
  rows_hidden: {
    when: "The sheet has rows that it does not show, by hand or by a filter; they are read like all others",
    todo: "Delete the rows if they are not meant; otherwise do nothing, or show them",
  },
  missing_unclear: {
    when: "This input does not show who is missing, so nobody was treated as missing",
    todo:
      "Correct what the message names: a row whose key cannot be read, a last line without a line end, or another file " +
      "that belongs to this one",
  },
  input_empty: {
    when: "The input has no rows, and a full input without people cannot be meant",
    todo: "Check the export, and send it again",
  },
  input_incomplete: {
    when: "The input breaks off before its end, or cannot be proven to be what was sent",
    todo: "Send it again as a whole",
  },
  decryption_failed: {
    when: "The file could not be decrypted, or is not encrypted and signed as this connection wants it",
    todo: "Encrypt it with the key that the hub shows for this connection, and sign it where that is wanted",
  },
  too_large: {
    when: "The input, or one row of it, is larger than its limit",
    todo: "Split the input, or look for a missing line end or quote at the place that the message names",
  },

  // The source
  source_unreachable: {
    when: "The source did not answer, or kept answering that it is unavailable",
    todo:
      "Nothing, if it is the first time: it is tried again by itself. Otherwise ask the administrator of the source",
  },
  source_refused: {
    when: "The source does not accept the connection's credentials, or does not let them read what is needed",
    todo: "Give the connection new credentials, or their owner the permissions that the message names; then sync again",
  },
  source_unreadable: {
    when: "The source answered with something else than it should",
    todo: "Read what the message says, and check the source with the connection's check",
  },
  source_misconfigured: {
    when: "The source cannot be read as the connection's settings say",
    todo: "Correct the settings that the message names, and try the connection's check",
  },
  connector_failed: {
    when: "The connector itself has an error: neither the source nor the connection's settings are wrong",
    todo: "Ask the people who maintain the connector, and show them what the message says",
  },
  connector_missing: {
    when: "The hub does not have the connector, or the version of it that the connection is pinned to",
    todo: "Ask the operator of the hub to add it again; the connection and its secrets are kept",
  },
  connector_row_failed: {
    when: "The connector failed on this row, so the row was not used",
    todo: "Ask the people who maintain the connector; the hub's log has the place in its code",
  },
  connector_field_unknown: {
    when: "The connector gives a field that the hub does not have, so its values were not used",
    todo: "Make a custom field with this key, or ask the people who maintain the connector",
  },
  secrets_required: {
    when: "The connection lacks a secret, perhaps since a setting was changed that decides where secrets go",
    todo: "Set the secrets that the message names, or authorize the connection again",
  },
  fetch_incomplete: {
    when: "The source could not be read to its end, so nobody was taken for missing; what was read was used",
    todo:
      "Nothing, if it is the first time: it is tried again by itself. Otherwise ask the administrator of the source",
  },
  field_restricted: {
    when: "The source does not let the connection's credentials read a field, so the field was left as it was",
    todo: "Give the credentials' owner the permission to read the field, or do nothing if it is not wanted",
  },
  source_changed: {
    when: "The source has changed in a way that the connection should follow",
    todo: "Read what the message says, and adapt the connection's settings",
  },
} as const satisfies Record<string, { when: string; todo: string }>;

export type IssueCode = keyof typeof CODES;
