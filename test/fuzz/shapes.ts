/** Files of people as systems and spreadsheets make them, before anything goes wrong with them. */
import { Buffer } from "node:buffer";
import { gzipSync, strToU8, type Zippable, zipSync } from "fflate";
import { partsOf } from "../support/workbook-parts.ts";
import type { Random } from "./random.ts";

/** A file as it arrives. */
export interface Input {
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

type Table = readonly (readonly string[])[];

const HEADERS = [
  ["employee_id", "email", "first_name", "last_name", "title", "department_name", "manager_id", "hire_date"],
  ["Employee ID *", "Email Address [Required]", "First Name", "Last Name", "Job Title", "Department", "Is Active"],
  ["email", "first_name", "last_name", "is_active", "deactivation_date", "phone", "on_leave"],
  ["userPrincipalName", "givenName", "surname", "jobTitle", "accountEnabled", "mobilePhone", "employeeId"],
  ["name", "parent", "department_id"],
  ["Personal-Nr.", "E-Mail-Adresse", "Name", "Vorname", "Abteilung"],
] as const;

const CELLS = [
  "",
  "-",
  "n/a",
  "#N/A",
  "yes",
  "no",
  "A",
  "T",
  "2024-01-31",
  "31.12.2027",
  "9999-12-31",
  "01/02/2024",
  "000123",
  '="000123"',
  "'000123",
  "1.23457E+11",
  "+371 2012 3456",
  "030/1234567",
  "555 0100 or 555 0101",
  "Müller",
  "MÃ¼ller",
  "M\ufffdller",
  "'t Hart",
  "R&amp;D",
  "Sales\u200b",
  "Head of, Sales",
  'The "boss"',
  "two\nlines",
  "MAR10",
  "mailto:ana@acme.test",
] as const;

/** Above most tables there is nothing. */
const NOTHING: readonly (readonly string[])[] = Array(6).fill([]);

/** One input, not yet damaged. */
export function shape(random: Random): Input {
  const table = tableOf(random);
  switch (random.below(10)) {
    case 0:
      return workbook(random, table);
    case 1:
      return json(random, table);
    case 2:
      return packed(random, text(random, table));
    default:
      return text(random, table);
  }
}

function tableOf(random: Random): Table {
  const header = random.pick(HEADERS);
  const rows = Array.from({ length: random.below(12) }, (_, i) => header.map((name) => cellOf(random, name, i)));
  return [header, ...rows];
}

/** Mostly what belongs into the column, so that many rows can be used. */
function cellOf(random: Random, header: string, row: number): string {
  if (random.once(8)) return random.pick(CELLS);
  if (/mail|principal/i.test(header)) return `p${row}@acme.test`;
  if (/\bid\b|_id|Nr|employeeId/i.test(header)) return /manager|department/.test(header) ? "" : `E${row}`;
  if (/date/.test(header)) return random.pick(["", "2024-01-31", "31.01.2024"]);
  if (/active|enabled|leave/i.test(header)) return random.pick(["yes", "no", "TRUE", ""]);
  if (/phone/i.test(header)) return `+371 2012 34${String(row).padStart(2, "0")}`;
  return `${header.slice(0, 6)}${row}`;
}

function text(random: Random, table: Table): Input {
  const delimiter = random.pick([",", ",", ";", "\t", "|"]);
  const end = random.pick(["\n", "\r\n", "\r"]);
  const quotes = random.pick(["needed", "all", "none"] as const);
  const write = (cell: string) =>
    quotes === "all" || (quotes === "needed" && /["\r\n]/.test(cell)) ||
      (quotes === "needed" && cell.includes(delimiter))
      ? `"${cell.replaceAll('"', '""')}"`
      : cell;
  const lines = table.map((row) => {
    // A spreadsheet leaves empty cells at the end out.
    const cells = random.once(6) ? row.slice(0, row.findLastIndex((cell) => cell !== "") + 1) : row;
    return cells.map(write).join(random.once(20) ? `${delimiter} ` : delimiter);
  });
  lines.unshift(...random.pick([...NOTHING, [`sep=${delimiter}`], ["Active Employee Report", "Run date: 2026-11-01"]]));
  if (random.once(8)) lines.push(random.pick(["", "Total: 3", "\u001a", "  "]));
  const written = lines.join(end) + (random.once(6) ? "" : end);
  return { name: "people.csv", type: "text/csv", bytes: encode(random, written) };
}

function encode(random: Random, written: string): Uint8Array<ArrayBuffer> {
  switch (random.below(8)) {
    case 0:
      return own(Buffer.from(`\ufeff${written}`, "utf8"));
    case 1:
      return own(Buffer.from(`\ufeff${written}`, "utf16le"));
    case 2:
      return own(Buffer.from(`\ufeff${written}`, "utf16le").swap16());
    case 3:
      return own(Buffer.from(written, "latin1"));
    default:
      return own(Buffer.from(written, "utf8"));
  }
}

function json(random: Random, [header, ...rows]: Table): Input {
  const records = rows.map((row) => Object.fromEntries(header!.map((name, i) => [name, valueOf(random, row[i]!)])));
  if (random.once(2)) {
    const lines = records.map((record) => `${JSON.stringify(record)}\n`).join("");
    return { name: "people.ndjson", type: "application/x-ndjson", bytes: own(Buffer.from(lines)) };
  }
  const whole = JSON.stringify(random.once(2) ? records : { users: records }, null, random.below(3));
  return { name: "people.json", type: "application/json", bytes: own(Buffer.from(whole)) };
}

function valueOf(random: Random, cell: string): unknown {
  return random.once(12) ? random.pick([null, 7, true, ["a", "b"], { a: 1 }, "\ud800"]) : cell;
}

function workbook(random: Random, table: Table): Input {
  const rows = table.map((row, at) => {
    const cells = row.map((cell, column) => {
      const place = random.once(10) ? "" : ` r="${String.fromCharCode(65 + column)}${at + 1}"`;
      if (cell === "" && random.once(2)) return "";
      return random.once(8)
        ? `<c${place}><v>${random.pick(["45322", "1E+20", "0.30000000000000004", "-1", "x"])}</v></c>`
        : `<c${place} t="inlineStr"><is><t xml:space="preserve">${escape(cell)}</t></is></c>`;
    });
    return `<row r="${at + 1}"${random.once(10) ? ' hidden="1"' : ""}>${cells.join("")}</row>`;
  });
  const parts = partsOf({ sheets: { People: rows.join("") } });
  const zipped: Zippable = {};
  for (const [name, part] of Object.entries(parts)) {
    if (part !== null) zipped[name] = typeof part === "string" ? strToU8(mutateXml(random, part)) : part;
  }
  return {
    name: "people.xlsx",
    type: "application/octet-stream",
    bytes: own(zipSync(zipped, { level: random.below(7) as 6 })),
  };
}

/** Now and then a tag is lost, or another one comes in between. */
function mutateXml(random: Random, part: string): string {
  if (!random.once(12)) return part;
  const tags = [...part.matchAll(/<[^>]+>/g)];
  const tag = random.pick(tags);
  const insert = random.pick([
    "",
    "<x>",
    "</row>",
    "<!DOCTYPE a [<!ENTITY b 'c'>]>",
    "&b;",
    "<!-- -->",
    "<![CDATA[<]]>",
    "\u0000",
  ]);
  return part.slice(0, tag.index) + insert + part.slice(tag.index + (random.once(2) ? tag[0].length : 0));
}

function packed(random: Random, { name, bytes }: Input): Input {
  return random.once(2)
    ? { name: `${name}.gz`, type: "application/octet-stream", bytes: own(gzipSync(bytes)) }
    : { name: `${name}.zip`, type: "application/octet-stream", bytes: own(zipSync({ [name]: bytes })) };
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
