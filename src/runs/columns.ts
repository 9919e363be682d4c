/** What the columns of an input mean. Each block of rows may bring other columns; warnings about them are collected. No I/O. */
import { getDictionary, type Preset } from "../intake/dictionary.ts";
import { detectEntity } from "../intake/entity.ts";
import { resolveHeader } from "../intake/header.ts";
import { Fault } from "../model/errors.ts";
import type { Entity, Fields, Issue, KeyField } from "../model/record.ts";

export interface Columns {
  /** As the sender named it, otherwise as the first columns show it; `users` until those have been read. */
  readonly entity: Entity;
  /** The input is a failure report, corrected and sent again: it holds only some of the people. */
  readonly isReport: boolean;
  /** Names of the columns that were read last, and the fields that they stand for. */
  readonly names: readonly string[];
  readonly fields: Fields;
  /** The field of each column; null: the column is ignored. */
  resolve(names: readonly string[]): Fields;
  /** Whether an input could have these columns. */
  canBe(names: readonly string[]): boolean;
  /** Warnings about the columns, each once. */
  issues(): readonly Issue[];
}

export interface ColumnSettings {
  readonly preset: string | null;
  readonly header: Pick<Parameters<typeof resolveHeader>[2], "mapping" | "customKeys" | "exactNames" | "before">;
  /** As the sender named it; null: it is detected. */
  readonly entity: Entity | null;
  /** Null: the columns decide. */
  readonly key: KeyField | null;
}

export function createColumns({ preset, header, entity, key }: ColumnSettings): Columns {
  const name = (preset === null || preset === "custom" ? "default" : preset) as Preset;
  const dictionaries = { users: getDictionary(name, "users"), departments: getDictionary(name, "departments") };
  const issues = new Map<string, Issue>();
  let isKnown = entity !== null;
  const columns = {
    entity: entity ?? "users" as Entity,
    isReport: false,
    names: [] as readonly string[],
    fields: [] as Fields,
    resolve(names: readonly string[]): Fields {
      if (names === columns.names && columns.fields.length === names.length) return columns.fields;
      if (!isKnown) columns.entity = detectEntity(names, dictionaries, header);
      isKnown = true;
      const keyOfEntity = columns.entity === "users" ? key : "name";
      const resolved = resolveHeader(names, dictionaries[columns.entity], { ...header, key: keyOfEntity });
      columns.isReport ||= resolved.isReport;
      for (const issue of resolved.issues) issues.set(`${issue.code} ${issue.value}`, issue);
      columns.names = names;
      return columns.fields = resolved.fields;
    },
    canBe(names: readonly string[]): boolean {
      try {
        const found = isKnown ? columns.entity : detectEntity(names, dictionaries, header);
        resolveHeader(names, dictionaries[found], { ...header, key: found === "users" ? key : "name" });
        return true;
      } catch (fault) {
        if (fault instanceof Fault) return false;
        throw fault;
      }
    },
    issues: () => [...issues.values()],
  };
  return columns;
}
