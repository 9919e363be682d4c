/** Changes to a column that holds a JSON array, as values in SQL. However many elements change, they are one parameter. */
import { type SQL, sql } from "drizzle-orm";

/** An element of `json_each` as JSON again. */
const ELEMENT = sql`case when type in ('object', 'array') then value else json_quote(value) end`;

/** The column's array with other elements at some indexes, each given as JSON. */
export function replaceElements(column: string, places: readonly (readonly [index: number, json: string])[]): SQL {
  return sql`(select json_group_array(json(coalesce(n.value ->> 1, quoted.value))) from
    (select key, ${ELEMENT} as value from json_each(${sql.raw(column)})) quoted
    left join json_each(${JSON.stringify(places)}) n on n.value ->> 0 = quoted.key)`;
}

/** The column's array without the elements at some indexes. */
export function withoutElements(column: string, indexes: readonly number[]): SQL {
  return sql`(select json_group_array(json(${ELEMENT})) from json_each(${sql.raw(column)})
    where key not in (select value from json_each(${JSON.stringify(indexes)})))`;
}
