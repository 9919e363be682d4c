/** What the columns of an input mean. Each block of rows may bring other columns; warnings about them are collected. No I/O. */
import { dictionariesOf } from "../intake/dictionary.ts";
import { detectEntity } from "../intake/entity.ts";
import { foldHeader, type Header, type HeaderOptions, resolveHeader } from "../intake/header.ts";
import { resolveSpellings, type Spellings } from "../intake/spellings.ts";
import { Fault } from "../model/errors.ts";
import type { Entity, Fields, Issue, KeyField, RowBlock } from "../model/record.ts";

export interface Columns {
  /** As the sender named it, otherwise as the first columns show it; `users` until those have been read. */
  readonly entity: Entity;
  /** The input is a failure report, corrected and sent again: it holds only some of the people. */
  readonly isReport: boolean;
  /** Names of the columns that were read last, and the fields that they stand for. */
  readonly names: readonly string[];
  readonly fields: Fields;
  /** The field of each column; null: the column is ignored. `names`: those of a block that was read. */
  resolve(names: readonly string[]): Fields;
  /** Resolves the block's columns. Returns its rows with each value in the column of its field. */
  read(block: RowBlock): RowBlock;
  /** Whether an input could have these columns. */
  canBe(names: readonly string[]): boolean;
  /** Warnings about the columns, each once. */
  issues(): readonly Issue[];
  /** What the keys of records mean. Nothing is collected. */
  spellings(keys: readonly string[]): Spellings;
}

export interface ColumnSettings {
  readonly preset: string | null;
  readonly header: Pick<HeaderOptions, "mapping" | "customKeys" | "exactNames" | "before">;
  /** As the sender named it; null: it is detected. */
  readonly entity: Entity | null;
  /** Null: the columns decide. */
  readonly key: KeyField | null;
  /** Columns by which the connection chooses its rows: they are used, though they may have no field. */
  readonly deciding: readonly string[];
  /** Whether each record is read by itself: one without the key is an error of its own. */
  readonly apart: boolean;
}

export function createColumns({ preset, header, entity, key, deciding, apart }: ColumnSettings): Columns {
  const dictionaries = dictionariesOf(preset);
  const issues = new Map<string, Issue>();
  /** By the list of names itself: rows are normalized when the next block has been read. */
  const resolvedFields = new WeakMap<readonly string[], Fields>();
  let isKnown = entity !== null;
  const optionsOf = (found: Entity): HeaderOptions => ({ ...header, key: found === "users" ? key : "name" });

  const used = new Set(deciding.map(foldHeader));
  const isReported = ({ code, value }: Issue) => code !== "header_unknown" || !used.has(foldHeader(value ?? ""));

  function spellings(names: readonly string[], shapes: NonNullable<RowBlock["shapes"]>): Spellings {
    const { entity } = columns;
    return resolveSpellings(names, shapes, dictionaries[entity], { ...optionsOf(entity), needsKey: !apart });
  }

  function note(names: readonly string[], resolved: Header): void {
    columns.isReport ||= resolved.isReport;
    for (const issue of resolved.issues.filter(isReported)) issues.set(`${issue.code} ${issue.value}`, issue);
    resolvedFields.set(names, resolved.fields);
    columns.names = names;
    columns.fields = resolved.fields;
  }

  const columns = {
    entity: entity ?? "users" as Entity,
    isReport: false,
    names: [] as readonly string[],
    fields: [] as Fields,
    resolve(names: readonly string[]): Fields {
      const fields = resolvedFields.get(names);
      if (fields === undefined) throw new Error("These columns were not read");
      return fields;
    },
    read(block: RowBlock): RowBlock {
      const { columns: names, shapes } = block;
      if (!isKnown) columns.entity = detectEntity(names, dictionaries, header);
      isKnown = true;
      if (shapes !== undefined) {
        const resolved = spellings(names, shapes);
        note(names, resolved);
        return resolved.settle(block);
      }
      if (!resolvedFields.has(names)) {
        note(names, resolveHeader(names, dictionaries[columns.entity], optionsOf(columns.entity)));
      }
      return block;
    },
    canBe(names: readonly string[]): boolean {
      try {
        const found = isKnown ? columns.entity : detectEntity(names, dictionaries, header);
        resolveHeader(names, dictionaries[found], optionsOf(found));
        return true;
      } catch (fault) {
        if (fault instanceof Fault) return false;
        throw fault;
      }
    },
    issues: () => [...issues.values()],
    spellings(keys: readonly string[]): Spellings {
      const resolved = spellings(keys, []);
      return { ...resolved, issuesOf: (own) => resolved.issuesOf(own).filter(isReported) };
    },
  };
  return columns;
}
