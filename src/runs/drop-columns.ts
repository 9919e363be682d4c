/** The columns of a stored drop: what its connection reads each of them as now, and a few values of each. */
import type { Hub } from "../hub.ts";
import { getDictionary, type Preset } from "../intake/dictionary.ts";
import { detectEntity } from "../intake/entity.ts";
import { explainColumns, type ExplainedColumn } from "../intake/explain-columns.ts";
import { foldHeader, namesOf } from "../intake/header.ts";
import { Fault } from "../model/errors.ts";
import type { Entity } from "../model/record.ts";
import type { Connection } from "../store/connections/connections.ts";
import { loadCustomFields } from "../store/people/custom-fields.ts";
import { type Asker, readHeavy } from "../store/people/heavy-reads.ts";
import type { Drop } from "../store/runs/drops.ts";
import { isTooLargeHere, readAgainBy } from "./read-again.ts";

export interface DropColumn extends ExplainedColumn {
  readonly samples: readonly string[];
}

/** Fails with `content_expired`, or `unprocessable` where the drop cannot be read. */
export async function readDropColumns(
  hub: Hub,
  connection: Connection,
  drop: Drop,
  asker: Asker,
): Promise<{ readonly entity: Entity; readonly columns: readonly DropColumn[] }> {
  if (isTooLargeHere(hub, drop)) {
    throw new Fault("too_large", "The file is too large to be looked into on this runtime");
  }
  const by = await readAgainBy(hub, connection, drop);
  if (by === null) throw new Fault("unprocessable", `The connector "${connection.connector}" is not installed`);
  const preset =
    (connection.preset === null || connection.preset === "custom" ? "default" : connection.preset) as Preset;
  const dictionaries = { users: getDictionary(preset, "users"), departments: getDictionary(preset, "departments") };
  const customKeys = (await loadCustomFields(hub.db, connection.organizationId)).map(({ key }) => key);
  const connectorMapping = by.connector.mapping ?? {};
  const mapping = { ...connectorMapping, ...connection.mapping };
  const exactNames = connection.settings.exact_names === true;
  const { columns, end, reason } = await readHeavy(
    { db: hub.db, reader: hub.dropReader },
    "sampleDrop",
    asker,
    connection.organizationId,
    {
      dropId: drop.id,
      options: by.options,
      knownNames: [
        ...Object.values(dictionaries).flatMap(({ aliases }) => Object.values(aliases).flat()),
        ...Object.values(dictionaries).flatMap((dictionary) => namesOf(dictionary, customKeys)),
        ...Object.keys(mapping),
      ].map(foldHeader),
    },
  );
  if (end === "gone") throw new Fault("content_expired", "The file is no longer stored");
  if (end === "unreadable" && columns.length === 0) {
    throw new Fault("unprocessable", reason ?? "The file cannot be read");
  }
  const names = columns.map(({ name }) => name);
  const header = { mapping, customKeys, exactNames, before: connection.baseline.users?.headers ?? {} };
  const entity = drop.entity ?? detectEntity(names, dictionaries, header);
  const explained = explainColumns(names, {
    dictionary: dictionaries[entity],
    mapping: connection.mapping,
    connectorMapping,
    customKeys,
    exactNames,
  });
  return { entity, columns: explained.map((each, i) => ({ ...each, samples: columns[i]!.samples })) };
}
