/** Kinds of columns that several tables have. */
import { text } from "drizzle-orm/sqlite-core";

/** A value of this type, stored as JSON text. */
export const json = <T>(name: string) => text(name, { mode: "json" }).$type<T>();
