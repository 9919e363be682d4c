/** `muster token create`: makes a token. Access to the data directory is all that this needs. */
import { byCommand } from "../model/audit.ts";
import { Fault } from "../model/errors.ts";
import { encodeId } from "../model/id.ts";
import { type Scope, SCOPES } from "../model/scope.ts";
import { createToken as storeToken, findTokenByHash } from "../store/tokens.ts";
import { mayBeDone } from "../store/trouble.ts";
import { DAY_MS, toInstantOrNull } from "../std/time.ts";
import { createTokenText, hashToken } from "../security/token.ts";
import { DONE } from "../runtime/command.ts";
import { defineCommand } from "./command.ts";
import { loadOrganization, withHub } from "./open-hub.ts";

export const createToken = defineCommand({
  name: "token create",
  summary: "Makes a token and prints it, once",
  options: {
    scopes: { type: "string", value: "A,B", help: "what it allows, such as runs:read,users:read (needed)" },
    name: { type: "string", value: "TEXT", help: "what it is for" },
    organization: { type: "string", value: "SLUG", help: "the organization it belongs to (default)" },
    "expires-in-days": { type: "string", value: "N", help: "1 to 3650, or never (90)" },
    json: { type: "boolean", help: "prints the token and its properties as JSON" },
  },
  run: async (values, terminal) => {
    const scopes = readScopes(values.scopes);
    const days = readDays(values["expires-in-days"] ?? "90");
    const text = createTokenText();
    const hash = hashToken(text);
    const token = await withHub(terminal, async (hub) => {
      const organization = await loadOrganization(hub, values.organization);
      return await storeToken(
        hub.db,
        organization.id,
        {
          name: values.name?.trim() || "Made on the command line",
          scopes,
          hash,
          expiresAt: days === null ? null : hub.now() + days * DAY_MS,
        },
        hub.now(),
        byCommand("token create"),
      ).catch(async (error) => {
        // The token may be there although the database's answer was lost.
        const made = mayBeDone(error) ? await findTokenByHash(hub.db, hash) : null;
        if (made === null) throw error;
        return made;
      });
    });
    const expiresAt = toInstantOrNull(token.expiresAt);
    if (values.json) {
      const id = encodeId("tok", token.id);
      terminal.out(JSON.stringify({ id, name: token.name, scopes, expires_at: expiresAt, token: text }, null, 2));
    } else {
      terminal.out(text);
      terminal.err(`Shown this once; ${expiresAt === null ? "it never expires" : `it expires at ${expiresAt}`}\n`);
    }
    return DONE;
  },
});

function readScopes(text: string | undefined): Scope[] {
  const names = [...new Set((text ?? "").split(/[\s,]+/).filter((name) => name !== ""))];
  const unknown = names.filter((name) => !(SCOPES as readonly string[]).includes(name));
  if (names.length > 0 && unknown.length === 0) return names as Scope[];
  throw new Fault(
    "invalid_request",
    (names.length === 0 ? "--scopes is missing" : `There is no scope "${unknown[0]}"`) +
      `: it should be some of ${SCOPES.join(", ")}`,
  );
}

/** Null: never. */
function readDays(text: string): number | null {
  if (text === "never") return null;
  const days = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (days >= 1 && days <= 3650) return days;
  throw new Fault("invalid_request", `--expires-in-days is "${text}": it should be a number from 1 to 3650, or never`);
}
