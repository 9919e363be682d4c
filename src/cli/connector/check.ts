/** `muster connector check DIR`: loads an author's connector as a hub does, and shows what its catalogue would have. */
import { settingsSchemaOf } from "../../runs/settings.ts";
import { DONE, type Terminal } from "../../runtime/command.ts";
import { loadFrom } from "./load.ts";

export async function checkConnector(terminal: Terminal, place: string): Promise<number> {
  const { connector } = await loadFrom(place, terminal.base);
  const { name, version, title, input, coverage, secrets, authKinds } = connector;
  const shown: [string, string][] = [
    ["name", name],
    ["version", version],
    ["title", title],
    ["code", connector.isolated?.digest ?? ""],
    ["input", input],
    ["brings", Object.entries(coverage).map(([entity, covers]) => `${entity} ${covers}`).join(", ")],
    ["secrets", Object.keys(secrets ?? {}).join(", ")],
    ["authorization", authKinds?.join(", ") ?? ""],
    ["settings", JSON.stringify(settingsSchemaOf(connector))],
  ];
  for (const [what, value] of shown) if (value !== "") terminal.out(`${what.padEnd(14)} ${value}`);
  terminal.out("A hub can use it");
  return DONE;
}
