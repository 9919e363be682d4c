/** The context of planning departments. Types only. */
import type { Row, SourceRecord } from "../../model/record.ts";
import type { KnownDepartment } from "./department-names.ts";
import type { ValidatedDepartment } from "./validate-departments.ts";

export interface DepartmentPlanContext {
  readonly departments: readonly KnownDepartment[];
  readonly normalize: (row: Row) => SourceRecord;
  readonly validate: (record: SourceRecord) => ValidatedDepartment;
  /** Counts active users of these departments, by department. */
  readonly activeUsers: (departmentIds: readonly number[]) => Promise<ReadonlyMap<number, number>>;
  readonly newId: () => number;
  readonly create: boolean;
  readonly update: boolean;
  readonly deactivate: boolean;
  readonly reactivate: boolean;
}
