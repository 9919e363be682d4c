/** Codes of whole rows, and of whom they are about. No I/O. */
import { helps } from "./help.ts";

export const ROWS = helps({
  cell_count: {
    when: "The row has more cells than the header, or so few that its values may not be under their headers",
    then: "The row is left out; the person stays as they are",
    todo: "Look for a missing or surplus delimiter in the row; put quotes around values that contain the delimiter",
    example: { of: "A line of a file", before: "17,Ana,Sol,Sales, Berlin", after: '17,Ana,Sol,"Sales, Berlin"' },
  },
  cells_missing: {
    when: "Rows have fewer cells than the header: those that are missing at their ends were left as they are",
    then: "All other cells of these rows are used",
    todo: "Nothing, if a spreadsheet has left empty cells out; to clear fields, send the empty cells",
    example: {
      of: "Lines of a file, to clear title and phone",
      before: "Employee ID,Email,Title,Phone\n17,ana@acme.test",
      after: "Employee ID,Email,Title,Phone\n17,ana@acme.test,,",
    },
  },
  row_is_total: {
    when: "The row is no person: it seems to be a total or a remark, as reports write them below their rows",
    then: "The row is left out; all others are used",
    todo: "Take the row out of the file, or let the report be written without totals",
    example: {
      of: "The last lines of a file",
      before: "17,ana@acme.test,Sol\nTotal: 1",
      after: "17,ana@acme.test,Sol",
    },
  },
  duplicate_in_input: {
    when: "Two or more rows have the same key, or two active rows the same email",
    then:
      "All of them are left out, as nobody can tell which is right, unless they say the same or only one is active: then that one counts, and the others are skipped",
    todo: "Keep the one row that is right, remove the others, and send it again",
    example: {
      of: "Lines of a file",
      before: "17,ana@acme.test,Sales\n17,ana@acme.test,Research",
      after: "17,ana@acme.test,Research",
    },
  },
  identity_conflict: {
    when: "The row fits two different people, or contradicts what is known of the one it fits",
    then: "The row is left out, and the person stays as they are",
    todo:
      "Check the id and the email of both people that the message names, and correct the one that is wrong. If the " +
      "row is right and the run's page asks who is meant, answer there: the same person, and the row is used the next time; or somebody " +
      "new, and the old record stays, inactive, and gives the id or address up",
    example: {
      of: "A line about Bo Lind, where 17 is the id of Ana Sol",
      before: "17,bo@acme.test,Bo,Lind",
      after: "18,bo@acme.test,Bo,Lind",
    },
  },
  rehired_as_new: {
    when:
      "Somebody who has left, by a row of their own, seems to be back under another id: the address and a name are the same",
    then: "The row of the new id makes a new person; the old record stays as it is",
    todo: "If both are one person, take the row of the old id out of the file, or give the old record the new id",
    example: {
      of: "Lines of a file, where Ana Sol came back under another id",
      before: "17,ana@acme.test,Ana,Sol,no\n90,ana@acme.test,Ana,Sol,yes",
      after: "90,ana@acme.test,Ana,Sol,yes",
    },
  },
  source_conflict: {
    when: "Another connection with a higher priority, or an older one, has this field, so the value was not taken over",
    then: "The value of the other source stays; the rest of the row is used",
    todo: "Correct the value in the other source, or change the priority of the connections; otherwise do nothing",
    example: { of: "Title of Ana Sol in the other source", before: "Clerk", after: "Head of Sales" },
  },
  field_kept: {
    when: "The field was edited by hand, and this connection keeps what was edited by hand",
    then: "The field stays as it was edited; the rest of the row is used",
    todo: "Have the field released if the source is right; otherwise do nothing",
    example: {
      of: "Title in Muster, once it is released",
      before: "Clerk, by hand",
      after: "Head of Sales, from the source",
    },
  },
  changed_since_plan: {
    when: "The person was changed after the plan was made, so the planned change was not applied",
    then: "The person has what they were changed to; the other changes of the run go on",
    todo: "Nothing: the next run looks at the row again",
    example: {
      of: "Title of Ana Sol, planned as Head of Sales and changed by hand meanwhile",
      before: "Lead, as changed by hand",
      after: "what the next run makes of the row",
    },
  },
  not_reverted: {
    when: "The person was changed again after the run that is reverted, so that later change was kept",
    then: "The later change stays; the others of the run are taken back",
    todo: "Look at the person, and correct by hand what should be otherwise",
    example: { of: "Title in Muster, corrected by hand", before: "Lead", after: "Clerk" },
  },
});
