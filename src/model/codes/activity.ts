/** Codes about who is active, and who is imported at all. No I/O. */
import { helps } from "./help.ts";

export const ACTIVITY = helps({
  status_blank: {
    when: "The status column is empty in this row, though this connection has read statuses there",
    then: "Somebody known stays as they are, active or not; nobody new is added",
    todo: "Write yes or no in the column",
    example: { of: "Active", before: "", after: "yes" },
  },
  status_unknown: {
    when: "The connection imports only some employment statuses, and this row does not say which one it has",
    then: "Somebody known stays active or inactive as they are; nobody new is added",
    todo: "Fill in the employment status",
    example: { of: "Employment status", before: "", after: "full-time" },
  },
  status_disagrees: {
    when: "The row says that the person is active, and has a deactivation_date that has come; they count as inactive",
    then: "The person is deactivated, or stays inactive, with their record and its history; nobody new is added",
    todo: "Correct the one that is wrong: take the date out for people who are back",
    example: {
      of: "Active, Deactivation date (somebody who is back)",
      before: "yes, 2026-01-31",
      after: "yes, and an empty cell",
    },
  },
  status_unclear: {
    when:
      "A column looks like employment statuses and says of some people that they have left, but nothing tells the hub to use it",
    then: "These people are neither added nor changed; all others are",
    todo:
      "Map the column to is_active, or to employment_status with the policy only_statuses; to import everybody, map it to nothing",
    example: { of: "What the column Status is read as", before: "nothing chosen", after: "Active" },
  },
  status_kept_by_hand: {
    when: "The person was set inactive by hand, and the source has not changed its own status since",
    then: "They stay inactive, until the source says something else of them than it did",
    todo: "Set the person active by hand if the source is right; otherwise do nothing",
    example: { of: "The person in Muster", before: "inactive by hand", after: "active by hand" },
  },
  active_elsewhere: {
    when: "This source would deactivate the person, but another connection says that they are active",
    then: "The person stays active",
    todo: "Check which source is right, and remove the person from the other one if they have left",
    example: {
      of: "Ana Sol in two sources",
      before: "HR: gone from the list\nPayroll: active",
      after: "HR: gone from the list\nPayroll: gone from the list, too",
    },
  },
  protected_user: {
    when: "The person is on the connection's list of people that no run deactivates",
    then: "The person stays active",
    todo: "Have the person taken off the list if they have really left; otherwise do nothing",
    example: { of: "Protected people", before: "Ana Sol, Bo Lind", after: "Bo Lind" },
  },
  filter_unclear: {
    when: "The connection imports only some rows, by a column that is empty in this row or holds no value",
    then: "Somebody known stays active or inactive as they are; nobody new is added",
    todo: "Fill in the column",
    example: { of: "Location, where the connection imports Berlin", before: "", after: "Berlin" },
  },
  filter_column_missing: {
    when: "The connection imports only some rows, by a column that this input does not have; nobody was left out by it",
    then: "All rows are read as if there were no such choice",
    todo: "Send the column, or have its name in the connection's policy only_rows corrected",
    example: {
      of: "Lines of a file, where rows are chosen by Location",
      before: "Employee ID,Email\n17,ana@acme.test",
      after: "Employee ID,Email,Location\n17,ana@acme.test,Berlin",
    },
  },
  policy_off: {
    when: "The row would make a kind of change that the connection's policy switches off",
    then: "Nobody is added, changed, deactivated or brought back by this row",
    todo: "Have that kind of change switched on in the connection's policy if it is wanted; otherwise do nothing",
    example: { of: "Create people, a setting of the connection", before: "no", after: "yes" },
  },
});
