/** Codes of a file or a list as a whole. An error refuses all of it; what is only warned of is used. No I/O. */
import { helps } from "./help.ts";

const REFUSED = "The file is refused as a whole: nobody changes";

export const FILES = helps({
  encoding_invalid: {
    when: "The file is not text in the encoding that it should have, or of another kind: a web page, XML, a PDF",
    then: REFUSED,
    todo: "Save it again as CSV in UTF-8 or as a workbook (.xlsx), or set the connection's charset",
    example: { of: "Save as, in a spreadsheet", before: "CSV", after: "CSV UTF-8" },
  },
  delimiter_ambiguous: {
    when: "More than one character could be what separates the cells",
    then: REFUSED,
    todo:
      "Put quotes around values that contain the other one, save the file as a workbook, or set the delimiter in the " +
      "connection's settings",
    example: {
      of: "Lines of a file",
      before: "Employee ID,Email;Title\n17,ana@acme.test;Clerk\n18,bo@acme.test;Lead",
      after: "Employee ID,Email,Title\n17,ana@acme.test,Clerk\n18,bo@acme.test,Lead",
    },
  },
  quote_invalid: {
    when: "A quoted cell is not closed where it should be",
    then: REFUSED,
    todo: "Go to the line that the message names, close the quote, and write quotes inside a quoted value twice",
    example: {
      of: "A line of a file",
      before: '17,"Ana "Annie" Sol",Sales',
      after: '17,"Ana ""Annie"" Sol",Sales',
    },
  },
  workbook_invalid: {
    when:
      "The file is a workbook or an archive that cannot be read: damaged, protected, with macros, or of another kind",
    then: REFUSED,
    todo: "Do what the message says: mostly, open it in a spreadsheet and save it as .xlsx or CSV",
    example: { of: "Name of a file", before: "people.xls", after: "people.xlsx, saved without a password" },
  },
  json_invalid: {
    when: "The input should be JSON and is not, or an element of it is not an object",
    then: REFUSED,
    todo: "Correct it at the place that the message names",
    example: {
      of: "A file",
      before: '{"users": [{"email": "ana@acme.test",}]}',
      after: '{"users": [{"email": "ana@acme.test"}]}',
    },
  },
  header_missing: {
    when: "The column that says who a row is about is not there",
    then: REFUSED,
    todo:
      "Add the column under one of the names in the message, or take out lines above the names of the columns. The " +
      "settings that help are the connection's key, mapping and skip_lines",
    example: {
      of: "Lines of a file",
      before: "Report of January\nEmployee ID,Email\n17,ana@acme.test",
      after: "Employee ID,Email\n17,ana@acme.test",
    },
  },
  header_duplicate: {
    when: "Two columns have the same name, so it is not clear which one counts",
    then: REFUSED,
    todo: "Rename or remove one of them",
    example: {
      of: "First line of a file",
      before: "Employee ID,Email,Email",
      after: "Employee ID,Email,Private email",
    },
  },
  header_unknown: {
    when: "A column's name is not known, so the column was not processed",
    then: "All other columns are used",
    todo: "Rename the column if it is a misspelling, have it mapped or a custom field added for it, or do nothing",
    example: { of: "First line of a file", before: "Employee ID,Emial", after: "Employee ID,Email" },
  },
  header_unused: {
    when: "Two columns stand for the same field, and this one was not used",
    then: "The other column and the rest of the file are used",
    todo: "Remove the column that is not wanted, or map the right one",
    example: { of: "First line of a file", before: "Employee ID,Title,Job Title", after: "Employee ID,Job Title" },
  },
  column_vanished: {
    when: "A column that the last file had is not in this one, so its field was left as it was",
    then: "Nobody's value is cleared; all other columns are used",
    todo: "Check the export; do nothing if the column was taken out on purpose",
    example: { of: "First line of a file", before: "Employee ID,Email", after: "Employee ID,Email,Phone" },
  },
  rows_hidden: {
    when: "The sheet has rows that it does not show, by hand or by a filter; they are read like all others",
    then: "The people in them are added or changed as their rows say",
    todo: "Delete the rows if they are not meant; otherwise do nothing, or show them",
    example: { of: "Rows of a sheet", before: "2, 3, 7 (4 to 6 are hidden)", after: "2, 3, 4" },
  },
  missing_unclear: {
    when: "This input does not show who is missing, so nobody was treated as missing",
    then: "All that can be read of it is used; nobody is deactivated because they are not in it",
    todo:
      "Correct what the message names: a row whose key cannot be read, a last line without a line end, or another file " +
      "that belongs to this one",
    example: { of: "A line of a file, whose id is gone", before: ",ana@acme.test,Sol", after: "17,ana@acme.test,Sol" },
  },
  input_empty: {
    when: "The input has no rows, and a full input without people cannot be meant",
    then: REFUSED,
    todo: "Check the export, and send it again",
    example: {
      of: "A file",
      before: "Employee ID,Email",
      after: "Employee ID,Email\n17,ana@acme.test",
    },
  },
  input_incomplete: {
    when: "The input breaks off before its end, or cannot be proven to be what was sent",
    then: REFUSED,
    todo: "Send it again as a whole",
    example: { of: "The last line of a file", before: '17,ana@acme.test,"So', after: '17,ana@acme.test,"Sol"' },
  },
  decryption_failed: {
    when: "The file could not be decrypted, or is not encrypted and signed as this connection wants it",
    then: REFUSED,
    todo: "Encrypt it with the key that the hub shows for this connection, and sign it where that is wanted",
    example: {
      of: "people.csv.pgp",
      before: "encrypted with the key of last year",
      after: "encrypted with the key of the connection",
    },
  },
  too_large: {
    when: "The input, or one row of it, is larger than its limit",
    then: "It is refused as a whole: nobody changes",
    todo:
      "Leave out what is not needed, or split the input. One row of many lines mostly has a quote that is not closed: look at " +
      "the place that the message names",
    example: { of: "people.csv", before: "1.4 GiB, with a column of photos", after: "2 MiB, without it" },
  },
});
