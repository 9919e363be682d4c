/** What a person is called, and their values in words. No I/O but for the names of connections. */
import type { Context } from "hono";
import type { ConnectionView } from "../api/connection-view.ts";
import type { UserView } from "../api/user-view.ts";
import type { Env } from "../kit/env.ts";
import type { Listed } from "./api.ts";

/** `Ana Example`, or the first key that there is. */
export function nameOf({ first_name, preferred_name, last_name, email, employee_id, id }: UserView): string {
  return [preferred_name ?? first_name, last_name].filter(Boolean).join(" ") || (email ?? employee_id ?? id);
}

export function inWords(value: unknown): string {
  if (value === null || value === undefined || value === "") return "empty";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Gives the name of a connection by its id. Who may not see connections sees none. */
export async function loadConnectionNames(c: Context<Env>): Promise<(id: string) => string> {
  const { data } = await c.get("api")!.read<Listed<ConnectionView>>("/v1/connections?limit=200")
    .catch(() => ({ data: [] }));
  const names = new Map(data.map(({ id, name }) => [id, name]));
  return (id) => names.get(id) ?? "a deleted connection";
}
