/** `muster audit verify`: checks the audit's chain of hashes and names the first entry that breaks it. */
import { Fault } from "../model/errors.ts";
import { encodeId } from "../model/id.ts";
import { type Verification, verifyAudit } from "../store/audit.ts";
import { listOrganizations, type Organization } from "../store/organizations.ts";
import { DONE, FAILED } from "../runtime/command.ts";
import { defineCommand } from "./command.ts";
import { type CommandHub, loadOrganization, withHub } from "./open-hub.ts";

export const verifyAuditChain = defineCommand({
  name: "audit verify",
  summary: "Verifies the audit's chain of hashes, of every organization",
  options: {
    organization: { type: "string", value: "SLUG", help: "of this organization alone" },
    known: { type: "string", value: "SEQ:HASH", help: "an entry's hash as noted earlier (with --organization)" },
    json: { type: "boolean", help: "prints the result as JSON" },
  },
  run: async (values, terminal) => {
    const known = readKnown(values.known);
    if (known !== null && values.organization === undefined) {
      throw new Fault("invalid_request", "--known is a hash of one organization: name it with --organization");
    }
    return await withHub(terminal, async (hub) => {
      const found: { slug: string; id: string; verification: Verification }[] = [];
      for await (const organization of organizations(hub, values.organization)) {
        const { id, slug } = organization;
        found.push({ slug, id: encodeId("org", id), verification: await verifyAudit(hub.db, id, known) });
      }
      if (values.json) {
        const shown = found.map(({ slug, id, verification }) => ({ organization: slug, id, ...verification }));
        terminal.out(JSON.stringify(shown, null, 2));
      } else for (const { slug, verification } of found) terminal.out(sentence(slug, verification));
      return found.some(({ verification }) => verification.broken !== null) ? FAILED : DONE;
    });
  },
});

function sentence(slug: string, { rows, unsealed, head, broken }: Verification): string {
  const covered = `${rows.toLocaleString("en")} ${rows === 1 ? "entry" : "entries"}`;
  if (broken !== null) {
    return `${slug}: BROKEN at entry ${broken.seq}: ${broken.what}; ${covered} before it hold`;
  }
  return `${slug}: ${covered} hold` + (rows === 0 ? "" : `, up to ${rows}:${head}`) +
    (unsealed === 0 ? "" : `; ${unsealed} more are not sealed yet`);
}

function readKnown(text: string | undefined): { seq: number; hash: string } | null {
  if (text === undefined) return null;
  const [, seq, hash] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text.trim().toLowerCase()) ?? [];
  if (seq !== undefined && hash !== undefined) return { seq: Number(seq), hash };
  throw new Fault("invalid_request", `--known is "${text}": it should be an entry's number, ":" and its hash`);
}

async function* organizations(hub: CommandHub, named: string | undefined): AsyncGenerator<Organization> {
  if (named !== undefined) return yield await loadOrganization(hub, named);
  for (let after = 0;;) {
    const page = await listOrganizations(hub.db, { after, limit: 100 });
    yield* page;
    if (page.length < 100) return;
    after = page.at(-1)!.id;
  }
}
