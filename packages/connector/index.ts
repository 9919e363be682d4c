/** The interface of connectors, without any dependency. */
export * from "../../src/connector.ts";
export type * from "../../src/model/standard-schema.ts";
export type {
  Cell,
  Coverage,
  CustomField,
  Entity,
  Fields,
  Issue,
  KeyField,
  Row,
  RowBlock,
  SourceRecord,
} from "../../src/model/record.ts";
