/** Workbooks as programs write them: what each cell reads as, and what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { zipSync } from "fflate";
import { Fault } from "../../src/model/errors.ts";
import { partsOf, readAll, textRow, workbookOf, zipOf } from "../support/workbook-parts.ts";

const HEADER = textRow("id", "value");

/** What a cell of that XML reads as, in the column of values. */
function reads(cell: string, more: Omit<Parameters<typeof workbookOf>[0], "sheets"> = {}): string {
  return readAll(
    workbookOf({ sheets: { People: `${HEADER}<row><c t="inlineStr"><is><t>1</t></is></c>${cell}</row>` }, ...more }),
  )[1]![2]!;
}

function refusal(read: () => unknown): Fault {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof Fault, String(error));
    return error;
  }
  throw new Error("It was not refused");
}

test("text stands as it is, with its zeros, its equals sign and its spaces", () => {
  const strings = '<si><t>000123</t></si><si><t>=1+1</t></si><si><t xml:space="preserve"> a </t></si>';
  assert.equal(reads('<c t="s"><v>0</v></c>', { strings }), "000123");
  assert.equal(reads('<c t="s"><v>1</v></c>', { strings }), "=1+1");
  assert.equal(reads('<c t="s"><v>2</v></c>', { strings }), " a ");
  assert.equal(reads('<c t="inlineStr"><is><t>0042</t></is></c>'), "0042");
});

test("a text in runs is one, without how it is pronounced, and with its escaped characters", () => {
  const strings =
    "<si><r><t>An</t></r><r><t>a</t></r><rPh><t>アナ</t></rPh></si><si><t>a_x000D_b_x005F_x0041_</t></si>";
  assert.equal(reads('<c t="s"><v>0</v></c>', { strings }), "Ana");
  assert.equal(reads('<c t="s"><v>1</v></c>', { strings }), "a\rb_x0041_");
  assert.equal(reads('<c t="inlineStr"><is><r><t>x</t></r><r><t><![CDATA[<y>]]></t></r></is></c>'), "x<y>");
});

test("a number shows its digits, never an exponent", () => {
  const shown: Record<string, string> = {
    "123": "123",
    "1005.0": "1005",
    "1E5": "100000",
    "4.9123456789E+10": "49123456789",
    "0.30000000000000004": "0.3",
    "1.5E-3": "0.0015",
    "-0.5": "-0.5",
    "0": "0",
    "999999999999999": "999999999999999",
    "2.9999999999999996": "3",
  };
  for (const [raw, text] of Object.entries(shown)) assert.equal(reads(`<c><v>${raw}</v></c>`), text, raw);
});

test("an integer of more than 15 digits shows that its last ones are lost", () => {
  assert.equal(reads("<c><v>12345678901234567</v></c>"), "1.2345678901234567E+16");
  assert.equal(reads("<c><v>1.23456789012346E+19</v></c>"), "1.23456789012346E+19");
});

test("a format of zeros fills up, and no other format of numbers changes digits", () => {
  assert.equal(reads('<c s="1"><v>123</v></c>', { formats: ["000000"] }), "000123");
  assert.equal(reads('<c s="1"><v>1234567</v></c>', { formats: ["000000"] }), "1234567");
  for (const format of ["0", "0.00", "#,##0", "@", '0" days"', "[Red]0", "General", '_-* #,##0\\ "€"_-']) {
    assert.equal(reads('<c s="1"><v>1234</v></c>', { formats: [format] }), "1234", format);
  }
});

test("a date is one by the cell's format, whatever its language", () => {
  for (const format of [14, 22, "yyyy-mm-dd", "dd/mm/yyyy", "[$-407]d. mmmm yyyy;@", "mmm-yy", 'd"."m"."yy', 31, 57]) {
    assert.equal(reads('<c s="1"><v>45351</v></c>', { formats: [format] }), "2024-02-29", String(format));
  }
});

test("dates of 1900 and of 1904, and days that never were", () => {
  const date = (serial: string, properties = "") =>
    reads(`<c s="1"><v>${serial}</v></c>`, { formats: [14], properties });
  assert.equal(date("1"), "1900-01-01");
  assert.equal(date("59"), "1900-02-28");
  assert.equal(date("61"), "1900-03-01");
  assert.equal(date("60"), "60");
  assert.equal(date("-1"), "-1");
  assert.equal(date("2958465"), "9999-12-31");
  assert.equal(date("2958466"), "2958466");
  assert.equal(date("43889", 'date1904="1"'), "2024-02-29");
  assert.equal(date("43889", 'date1904="true"'), "2024-02-29");
});

test("times of day are to the second, and a duration is no date", () => {
  const formats = ["yyyy-mm-dd hh:mm", "[h]:mm", "h:mm"];
  assert.equal(reads('<c s="1"><v>45351.999988425923</v></c>', { formats }), "2024-02-29 23:59:59");
  assert.equal(reads('<c s="1"><v>45351.999999999</v></c>', { formats }), "2024-03-01");
  assert.equal(reads('<c s="2"><v>1.5</v></c>', { formats }), "36:00:00");
  assert.equal(reads('<c s="3"><v>0.25</v></c>', { formats }), "06:00:00");
});

test("dates that are stored as text of ISO 8601", () => {
  assert.equal(reads('<c t="d"><v>2024-02-29T00:00:00</v></c>'), "2024-02-29");
  assert.equal(reads('<c t="d"><v>2024-02-29</v></c>'), "2024-02-29");
  assert.equal(reads('<c t="d"><v>2024-02-29T08:30:00</v></c>'), "2024-02-29 08:30:00");
});

test("booleans, errors, and formulas by what they came to", () => {
  assert.equal(reads('<c t="b"><v>1</v></c>'), "TRUE");
  assert.equal(reads('<c t="b"><f>A1=1</f><v>0</v></c>'), "FALSE");
  assert.equal(reads('<c t="e"><v>#N/A</v></c>'), "#N/A");
  assert.equal(reads('<c t="str"><f>A1&amp;"x"</f><v>1x</v></c>'), "1x");
  assert.equal(reads('<c t="str"><f>""</f><v></v></c>'), "");
  assert.equal(reads("<c><f>1+1</f><v>2</v></c>"), "2");
});

test("a formula that nobody has calculated is an error, not an empty cell", () => {
  assert.equal(reads("<c><f>A1</f></c>"), "#CALC!");
  assert.equal(reads("<c><f>A1</f><v/></c>"), "#CALC!");
});

test("lines are the sheet's own, rows without text are left out, and cells that are not stored are empty", () => {
  const sheet =
    `<row r="3"><c r="A3" t="inlineStr"><is><t>id</t></is></c><c r="C3" t="inlineStr"><is><t>name</t></is></c></row>` +
    `<row r="4"/><row r="5"><c r="B5" s="1"/></row><row r="9"><c r="C9" t="inlineStr"><is><t>Ana</t></is></c></row>` +
    `<row r="10"><c r="A10"><v>7</v></c></row>`;
  assert.deepEqual(readAll(workbookOf({ sheets: { People: sheet } })), [[0, "id", "", "name"], [9, "", "", "Ana"], [
    10,
    "7",
    "",
    "",
  ]]);
});

test("rows and cells without a reference follow the one before", () => {
  const sheet =
    `${HEADER}<row><c><v>1</v></c><c r="B2"><v>2</v></c></row><row r="7"><c r="B7"><v>3</v></c></row><row><c><v>4</v></c></row>`;
  assert.deepEqual(readAll(workbookOf({ sheets: { People: sheet } })).slice(1), [[2, "1", "2"], [7, "", "3"], [
    8,
    "4",
    "",
  ]]);
});

test("prefixes, names of parts, and the case of their names are as a program likes", () => {
  const parts = partsOf({ sheets: { People: `${HEADER}<row><c><v>1</v></c></row>` } });
  const rename = (name: string, to: string) => {
    parts[to] = parts[name]!;
    parts[name] = null;
  };
  parts["xl/worksheets/sheet1.xml"] = (parts["xl/worksheets/sheet1.xml"] as string).replace(/<(\/?)(\w)/g, "<$1x:$2")
    .replace("xmlns=", "xmlns:x=");
  rename("xl/worksheets/sheet1.xml", "XL\\Worksheets\\Data.XML");
  parts["xl/_rels/workbook.xml.rels"] = (parts["xl/_rels/workbook.xml.rels"] as string)
    .replace("worksheets/sheet1.xml", "/xl/../xl/worksheets/data.xml");
  assert.deepEqual(readAll(zipOf(parts))[1], [2, "1", ""]);
});

test("cells of an extension are none of the sheet's", () => {
  const parts = partsOf({ sheets: { People: `${HEADER}<row><c><v>1</v></c></row>` } });
  parts["xl/worksheets/sheet1.xml"] = (parts["xl/worksheets/sheet1.xml"] as string)
    .replace(
      "</worksheet>",
      `<extLst><ext><sheetData><row><c><v>99</v></c></row></sheetData></ext></extLst></worksheet>`,
    );
  assert.equal(readAll(zipOf(parts)).length, 2);
});

test("a part in UTF-16 is read by its byte order mark", () => {
  const parts = partsOf({ sheets: { People: `${HEADER}${textRow("1", "Łuć")}` } });
  const text = `\ufeff${parts["xl/worksheets/sheet1.xml"]}`;
  parts["xl/worksheets/sheet1.xml"] = new Uint8Array(Uint16Array.from(text, (c) => c.charCodeAt(0)).buffer);
  assert.deepEqual(readAll(zipOf(parts))[1], [2, "1", "Łuć"]);
});

test("the first visible sheet with a usable header is read, or the one that is named", () => {
  const file = workbookOf({
    sheets: {
      Secret: textRow("id", "hidden"),
      Cover: textRow("Report of March"),
      People: `${textRow("id", "name")}${textRow("1", "Ana")}`,
    },
    hidden: ["Secret"],
  });
  const isHeader = (columns: readonly string[]) => columns.includes("id");
  assert.deepEqual(readAll(file, { isHeader }), [[0, "id", "name"], [2, "1", "Ana"]]);
  assert.deepEqual(readAll(file, { sheet: "secret" }), [[0, "id", "hidden"]]);
  const { code, message } = refusal(() => readAll(file, { sheet: "Staff" }));
  assert.equal(code, "workbook_invalid");
  assert.match(message, /no sheet "Staff"; its sheets are "Secret", "Cover", "People"/);
});

test("what is no workbook, or one with macros, is named", () => {
  const parts = () => partsOf({ sheets: { People: HEADER } });
  assert.match(refusal(() => readAll(zipOf({ "a.txt": "hello" }))).message, /not a workbook/);
  const word = { ...parts(), "xl/workbook.xml": "<document/>" };
  assert.match(refusal(() => readAll(zipOf(word))).message, /not a workbook/);
  const macros = { ...parts(), "xl/vbaProject.bin": "x" };
  assert.match(refusal(() => readAll(zipOf(macros))).message, /macros/);
  const enabled = parts();
  enabled["[Content_Types].xml"] = (enabled["[Content_Types].xml"] as string).replace(
    "vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
    "vnd.ms-excel.sheet.macroEnabled.main+xml",
  );
  assert.match(refusal(() => readAll(zipOf(enabled))).message, /macros/);
});

test("a file that is cut off anywhere, or changed anywhere, is refused or reads the same", () => {
  const file = workbookOf({
    sheets: { People: `${HEADER}${Array.from({ length: 50 }, (_, i) => textRow(String(i), `Person ${i}`)).join("")}` },
  });
  const whole = JSON.stringify(readAll(file));
  for (let at = 0; at < file.length; at += 7) {
    assert.ok(
      refusal(() => readAll(file.subarray(0, at))).code.match(/^(input_incomplete|workbook_invalid)$/),
      `cut at ${at}`,
    );
    const changed = file.slice();
    changed[at]! ^= 0x55;
    try {
      const read = JSON.stringify(readAll(changed));
      assert.equal(read, whole, `changed at ${at}`);
    } catch (error) {
      assert.ok(error instanceof Fault, `changed at ${at}: ${error}`);
    }
  }
});

test("archives that unpack to far more than they are, are refused before they are unpacked", () => {
  const bomb = zipOf({
    ...partsOf({ sheets: { People: HEADER } }),
    "xl/worksheets/sheet1.xml": new Uint8Array(100_000_000),
  });
  assert.match(refusal(() => readAll(bomb)).message, /unpacks to \d+ times its size/);
  assert.equal(refusal(() => readAll(workbookOf({ sheets: { People: HEADER } }), {}, 1000)).code, "too_large");
});

test("an archive that says less than it unpacks to is stopped there", () => {
  const file = zipOf({
    ...partsOf({ sheets: { People: HEADER } }),
    "xl/worksheets/sheet1.xml": new Uint8Array(30_000_000),
  });
  const view = new DataView(file.buffer);
  for (let at = file.length - 22; at > 0; at--) {
    if (view.getUint32(at, true) === 0x02014b50 && view.getUint32(at + 24, true) === 30_000_000) {
      view.setUint32(at + 24, 1000, true);
    }
  }
  const { code, message } = refusal(() => readAll(file));
  assert.equal(code, "workbook_invalid");
  assert.match(message, /damaged/);
});

test("entities do not unfold, and a text without end is not gathered", () => {
  const parts = partsOf({ sheets: { People: HEADER } });
  const sheet = parts["xl/worksheets/sheet1.xml"] as string;
  const doctype = { ...parts, "xl/worksheets/sheet1.xml": `<!DOCTYPE x [<!ENTITY a "b">]>${sheet}` };
  assert.match(refusal(() => readAll(zipOf(doctype))).message, /document type declaration/);
  const unknown = { ...parts, "xl/worksheets/sheet1.xml": sheet.replace("value", "&a;") };
  assert.equal(refusal(() => readAll(zipOf(unknown))).code, "workbook_invalid");
  const random = Array.from({ length: 1_200_000 }, (_, i) => String.fromCharCode(97 + (i * 7919 % 26))).join("");
  const long = { ...parts, "xl/worksheets/sheet1.xml": sheet.replace("value", random) };
  assert.equal(refusal(() => readAll(zipOf(long))).code, "too_large");
});

test("a cell far out at the right, or a row that goes back, is refused by its place", () => {
  const far = workbookOf({ sheets: { People: `${HEADER}<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>` } });
  assert.match(refusal(() => readAll(far)).message, /Row 1048576 .* over 500 columns/);
  const empty = workbookOf({ sheets: { People: `${HEADER}<row r="1048576"><c r="XFD1048576"/></row>` } });
  assert.equal(readAll(empty).length, 1);
  const back = workbookOf({ sheets: { People: `${HEADER}<row r="9"/><row r="4"><c><v>1</v></c></row>` } });
  assert.match(refusal(() => readAll(back)).message, /row 4/);
});

test("stored parts, a comment behind the archive, and one in two places at once", () => {
  const parts = partsOf({ sheets: { People: `${HEADER}<row><c><v>1</v></c></row>` } });
  const bytes = Object.fromEntries(
    Object.entries(parts).flatMap(([name, part]) =>
      part === null ? [] : [[name, new TextEncoder().encode(part as string)]]
    ),
  );
  assert.equal(readAll(zipSync(bytes, { level: 0 })).length, 2);
  assert.equal(readAll(zipSync(bytes, { comment: "made by hand" })).length, 2);
});
