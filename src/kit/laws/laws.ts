/** All laws, in the order in which they are tried. */
import { BREAK_LAWS } from "./break-laws.ts";
import { CHECK_LAWS } from "./check-laws.ts";
import { HUB_LAWS } from "./hub-laws.ts";
import type { Law } from "./law.ts";
import { MIGRATE_LAWS } from "./migrate-laws.ts";
import { QUIET_LAWS } from "./quiet-laws.ts";
import { READ_LAWS } from "./read-laws.ts";
import { RECORD_LAWS } from "./record-laws.ts";
import { SHAPE_LAWS } from "./shape-laws.ts";

export const LAWS: readonly Law[] = [
  ...SHAPE_LAWS,
  ...READ_LAWS,
  ...BREAK_LAWS,
  ...QUIET_LAWS,
  ...RECORD_LAWS,
  ...CHECK_LAWS,
  ...HUB_LAWS,
  ...MIGRATE_LAWS,
];
