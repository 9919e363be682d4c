/** Reads the stored bytes of a drop again, from the beginning. */
import { Fault } from "../../model/errors.ts";
import type { Database } from "../database.ts";
import { hasContent, openDrop } from "./drop-content.ts";
import { findDrop } from "./drops.ts";

/** `gone`: the drop is not kept any more. `reason`: why it is unreadable; else null. */
export interface ReadEnd<End extends string> {
  readonly end: End | "gone" | "unreadable";
  readonly reason: string | null;
}

/** What of the input is wrong ends the work with its reason; every other error is the caller's. */
export async function readStored<End extends string>(
  db: Database,
  organizationId: number,
  dropId: number,
  work: (drop: ReturnType<typeof openDrop>) => Promise<End>,
): Promise<ReadEnd<End>> {
  const drop = await findDrop(db, organizationId, dropId);
  if (drop === null || drop.sealedAt === null || !await hasContent(db, drop)) return { end: "gone", reason: null };
  try {
    return { end: await work(openDrop(db, drop)), reason: null };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { end: "unreadable", reason: error.message };
  }
}
