/** Codes of values: what is in one cell, or in the cells of one column. No I/O. */
import { helps } from "./help.ts";

export const VALUES = helps({
  required_field_missing: {
    when: "A field that every person or department must have is empty, or a new one comes without it",
    then: "The row is left out as a whole; somebody who is known stays as they are",
    todo: "Fill in the field in your source, or in this report, and send it again",
    example: { of: "Email", before: "", after: "ana@acme.test" },
  },
  email_invalid: {
    when: "The value is not an email address",
    then:
      "Where everybody needs an address, or people are known by it, the row is left out; otherwise the address stays as it was, and the rest of the row is used",
    todo: "Correct the address: one name, one @, and a domain with an ending, like ana@acme.test",
    example: { of: "Email", before: "ana@acme", after: "ana@acme.test" },
  },
  alphabets_mixed: {
    when: "An email address has letters of two alphabets that look alike, such as a Cyrillic а among Latin letters",
    then: "The address is used as it is",
    todo: "If the address should have one alphabet, type it again in your source; otherwise do nothing",
    example: { of: "Email (the first а is Cyrillic)", before: "аna@acme.test", after: "ana@acme.test" },
  },
  too_long: {
    when: "The value has more characters than the field can hold",
    then: "The field stays as it was; if everybody needs it, the row is left out",
    todo: "Shorten the value to the length that the message names",
    example: {
      of: "Phone",
      before: "+1 555 0100 before noon, later the number of the front desk",
      after: "+1 555 0100",
    },
  },
  date_invalid: {
    when: "The value is not a date in the form that this connection expects, or there is no such day",
    then:
      "The field stays as it was. A deactivation date that cannot be read leaves the whole row out, as nobody should stay or leave by a typing error",
    todo:
      "Write dates like 2026-01-31, which is always understood; if all dates of the source have another form, set the connection's date_format",
    example: { of: "Hire date", before: "31 Jan, about noon", after: "2026-01-31" },
  },
  date_order_suspect: {
    when:
      "Dates of the column fit only the order of day and month that is not declared, so those that fit both orders were not used",
    then: "The field stays as it was for these people. A deactivation date that fits both orders leaves its row out",
    todo: "Set the connection's date_format to the order of the source, or write 2026-01-31, and send the file again",
    example: { of: "Hire date", before: "03/04/2026", after: "2026-04-03" },
  },
  value_invalid: {
    when: "The value has another form than its field needs, such as letters in a phone number",
    then:
      "The field stays as it was, and the rest of the row is used; if everybody needs the field, or it says who is active, the row is left out",
    todo: "Correct the value as the message says, or leave the cell empty",
    example: { of: "Active", before: "perhaps", after: "yes" },
  },
  option_unknown: {
    when: "The field is a list of choices, and the value is none of them",
    then: "The field stays as it was, and the rest of the row is used",
    todo: "Use one of the choices that the message names, or have the new one added to the custom field",
    example: { of: "Shirt size, a custom field with S, M and L", before: "medium", after: "M" },
  },
  number_mangled: {
    when:
      "A spreadsheet has taken an id or a phone number for a number or a date, and changed it, like 1.23457E+11, 1005.0 or 10-Mar",
    then: "An id by which people are known leaves the row out; another value stays as it was",
    todo: "Set the column's format to text in the spreadsheet, enter the full value again, and send the file again",
    example: { of: "Employee ID", before: "1.23457E+11", after: "123456789012" },
  },
  zeros_lost: {
    when:
      "The id is that of somebody once zeros are put in front of it: a spreadsheet has probably removed them. Nobody new is made of it",
    then: "Where people are known by the id, the row is left out; otherwise the person keeps the id with its zeros",
    todo: "Set the column's format to text, or write the id with a leading apostrophe, like '000123",
    example: { of: "Employee ID", before: "123", after: "'000123" },
  },
  text_damaged: {
    when:
      "Letters of the value were lost on its way: they are replacement characters, question marks, or encoded twice",
    then: "What is known of the person stays; somebody new who needs the value is left out",
    todo: "Save or export the file as UTF-8, or as a workbook, and send it again",
    example: { of: "Last name", before: "MÃ¼ller", after: "Müller" },
  },
  spreadsheet_error: {
    when: "The cell holds an error of a spreadsheet, like #N/A or #REF!, instead of a value",
    then:
      "The cell counts as if it were not there, so what is known of the person stays; somebody new who needs the value is left out",
    todo: "Correct the formula in the spreadsheet, and send the file again",
    example: { of: "Department", before: "#N/A", after: "Sales" },
  },
  placeholder_value: {
    when: "Cells of a column hold a placeholder, like n/a, NULL or -, which says nothing about the person",
    then: "These cells count as if they were not there: the fields stay as they were",
    todo: "Nothing, if it means that there is no value; to clear a field, leave its cell empty",
    example: { of: "Phone", before: "n/a", after: "" },
  },
  html_entity: {
    when: "Cells of a column hold characters as web pages write them, like &amp; for &; they were taken as they are",
    then: "The values are used with these characters in them",
    todo: "Let the export write plain text, and send it again",
    example: { of: "Department", before: "Research &amp; Design", after: "Research & Design" },
  },
});
