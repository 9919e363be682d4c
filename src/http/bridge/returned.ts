/** What goes back to the server that a file came from. */
import type { Hub } from "../../hub.ts";
import { NOT_USED } from "../../bridge/places.ts";
import { fileToReturn } from "../../report/file.ts";
import { type BridgeFile, hasLaterOfName } from "../../store/bridges/bridge-files.ts";
import { findRun } from "../../store/runs/runs.ts";

/**
 * The report of the file, or the note why it was not used; null: nothing. A note has the name of its file, so there is none
 * once a later file of that name was taken: that one gets the answer.
 */
export async function answerOf(hub: Hub, file: BridgeFile): ReturnType<typeof fileToReturn> {
  const found = await findRun(hub.db, file.organizationId, file.runId);
  const answer = found === null ? null : await fileToReturn(hub, found);
  return answer?.name.endsWith(NOT_USED) === true && await hasLaterOfName(hub.db, file) ? null : answer;
}
