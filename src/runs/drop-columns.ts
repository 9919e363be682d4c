/** The columns of a stored drop: what its connection reads each of them as now, and a few values of each. */
import type { Hub } from "../hub.ts";
import { dictionariesOf, type Dictionary } from "../intake/dictionary.ts";
import { detectEntity } from "../intake/entity.ts";
import { explainColumns, type ExplainedColumn } from "../intake/explain-columns.ts";
import { foldHeader, type HeaderOptions, namesOf } from "../intake/header.ts";
import { Fault } from "../model/errors.ts";
import type { Entity } from "../model/record.ts";
import type { Connection } from "../store/connections/connections.ts";
import { loadCustomFields } from "../store/people/custom-fields.ts";
import { type Asker, readHeavy } from "../store/people/heavy-reads.ts";
import type { Drop } from "../store/runs/drops.ts";
import { headerOf } from "./read-drop.ts";
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
  if (isTooLargeHere(hub, drop)) throw new Fault("unprocessable", "The file is too large to be read again here");
  const by = await readAgainBy(hub, connection, drop);
  if (by === null) throw new Fault("unprocessable", `The connector "${connection.connector}" is not installed`);
  const { connector, options } = by, dictionaries = dictionariesOf(connection.preset);
  const customFields = await loadCustomFields(hub.db, connection.organizationId);
  const header = headerOf({ connection, connector, customFields });
  const { columns, end, reason } = await readHeavy(
    { db: hub.db, reader: hub.dropReader },
    "sampleDrop",
    asker,
    connection.organizationId,
    { dropId: drop.id, options, knownNames: knownNames(dictionaries, header) },
  );
  if (end === "gone") throw new Fault("content_expired", "The file is no longer stored");
  if (end === "unreadable" && columns.length === 0) {
    throw new Fault("unprocessable", reason ?? "The file cannot be read");
  }
  const names = columns.map(({ name }) => name);
  const entity = drop.entity ?? detectEntity(names, dictionaries, header);
  const explained = explainColumns(names, {
    ...header,
    dictionary: dictionaries[entity],
    mapping: connection.mapping,
    connectorMapping: connector.mapping ?? {},
  });
  return { entity, columns: explained.map((each, i) => ({ ...each, samples: columns[i]!.samples })) };
}

/** Folded names of columns that mean something to the connection. */
function knownNames(
  dictionaries: Readonly<Record<Entity, Dictionary>>,
  { mapping, customKeys }: Pick<HeaderOptions, "mapping" | "customKeys">,
): string[] {
  const ofDictionaries = Object.values(dictionaries).flatMap((dictionary) => [
    ...namesOf(dictionary, customKeys),
    ...Object.values(dictionary.aliases).flat(),
  ]);
  return [...ofDictionaries, ...Object.keys(mapping)].map(foldHeader);
}
