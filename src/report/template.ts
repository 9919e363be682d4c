/**
 * Templates as files: the header row, two example rows, and in a workbook a second sheet that explains each field. An
 * organization's custom fields and a preset in, bytes out. No I/O.
 */
import { keep } from "../intake/apostrophe.ts";
import {
  DEPARTMENT_EXPLANATIONS,
  explainCustom,
  type Explanation,
  USER_EXPLANATIONS,
  withEmptyCells,
} from "../model/explanations.ts";
import { DEFAULT_POLICY } from "../model/policy.ts";
import { PRESETS } from "../model/preset.ts";
import type { CustomField, Entity } from "../model/record.ts";
import {
  customExamples,
  DEPARTMENT_EXAMPLES,
  DEPARTMENT_TEMPLATE,
  type ExamplePair,
  USER_EXAMPLES,
  USER_TEMPLATES,
} from "../model/templates.ts";
import { streamOf } from "../std/streams.ts";
import { BYTE_ORDER_MARK, lineOf } from "./csv.ts";
import { writeWorkbook } from "./workbook.ts";

/** A column of a template: its header, its two examples and what to know about it. */
interface Column {
  readonly header: string;
  readonly examples: ExamplePair;
  readonly explanation: Explanation;
}

export interface Template {
  readonly entity: Entity;
  readonly columns: readonly Column[];
  /** Whether the example rows are in it. */
  readonly hasExamples: boolean;
}

/** The second sheet's header. None of these names is one of a field, so the sheet is never taken for people. */
const EXPLAINED = ["Field", "What it may hold", "What an empty cell does", "Examples"] as const;
const EXPLAINED_WIDTHS = [24, 90, 60, 40];

export function usersTemplate(
  preset: keyof typeof PRESETS,
  customFields: readonly CustomField[],
  hasExamples: boolean,
): Template {
  const emptyCells = PRESETS[preset].policy.empty_cells ?? DEFAULT_POLICY.empty_cells;
  const own = USER_TEMPLATES[preset].map(({ header, field }) => ({
    header,
    examples: USER_EXAMPLES[field]!,
    explanation: withEmptyCells(USER_EXPLANATIONS[field as keyof typeof USER_EXPLANATIONS], emptyCells),
  }));
  const custom = customFields.map((field) => ({
    header: field.key,
    examples: customExamples(field),
    explanation: withEmptyCells(explainCustom(field), emptyCells),
  }));
  return { entity: "users", columns: [...own, ...custom], hasExamples };
}

export function departmentsTemplate(hasExamples: boolean): Template {
  const columns = DEPARTMENT_TEMPLATE.map(({ header, field }) => ({
    header,
    examples: DEPARTMENT_EXAMPLES[field]!,
    explanation: DEPARTMENT_EXPLANATIONS[field as keyof typeof DEPARTMENT_EXPLANATIONS],
  }));
  return { entity: "departments", columns, hasExamples };
}

/** UTF-8 with a byte order mark, by which spreadsheets recognize it. */
export function templateCsv(template: Template): string {
  return BYTE_ORDER_MARK + rowsOf(template).map(lineOf).join("");
}

export function templateWorkbook(template: Template): ReadableStream<Uint8Array> {
  const { entity, columns } = template;
  const explained = columns.map(({ header, explanation: { holds, empty, examples } }) => [
    header,
    holds,
    empty,
    examples,
  ]);
  const widths = columns.map(({ header, examples }) =>
    Math.max(12, Math.min(40, 2 + Math.max(header.length, ...examples.map(({ length }) => length))))
  );
  return streamOf(writeWorkbook([
    {
      name: entity === "users" ? "People" : "Departments",
      widths,
      rows: rowsOf(template).map((cells) => cells.map(keep)),
    },
    { name: "Explanations", widths: EXPLAINED_WIDTHS, rows: [EXPLAINED, ...explained] },
  ]));
}

function rowsOf({ columns, hasExamples }: Template): string[][] {
  const header = columns.map(({ header }) => header);
  const example = (place: 0 | 1) => columns.map(({ examples }) => examples[place]);
  return hasExamples ? [header, example(0), example(1)] : [header];
}
