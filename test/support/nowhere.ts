/** The outbound gate of hubs that call nobody: it judges as the gate does, and there its way ends. */
import { ALLOW_NONE, createGate, judgeUrl } from "../../src/security/outbound.ts";

export const nowhere = createGate(ALLOW_NONE, async (url) => {
  await Promise.resolve(judgeUrl(url, ALLOW_NONE));
  throw new Error("Nothing is called from here");
});
