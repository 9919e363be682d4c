/** What people have decided of rows that would make their user somebody else, for the planning of a run. */
import { digestCells } from "../../intake/digest.ts";
import type { Identities } from "../../reconcile/draft.ts";
import { listAccepted } from "../../store/people/identities.ts";
import { saltOf } from "../read-drop.ts";
import type { Stage } from "../stage.ts";
import { hexOf } from "../../std/hex.ts";

/** The values by which a person is known. */
const KNOWN_BY = ["employee_id", "email", "first_name", "last_name", "hire_date", "mobile_phone"];

export async function createIdentities({ hub, run, connection }: Stage): Promise<Identities> {
  const accepted = await listAccepted(hub.db, run.organizationId, connection.id);
  const salt = saltOf(connection.salt, ["identity"]);
  const digest = new Int32Array(4);
  const fingerprint: Identities["fingerprint"] = ({ key, values }) => {
    digestCells([key, ...KNOWN_BY.map((field) => values[field] as string | null | undefined)], salt, digest, 0);
    return hexOf(digest);
  };
  return {
    areAllAccepted: false,
    fingerprint,
    isAccepted: (userId, record) => accepted.size > 0 && accepted.has(`${userId} ${fingerprint(record)}`),
  };
}
