/** The outbound gate of hubs that call nobody: it judges as the gate does, and there its way ends. */
import { ALLOW_NONE, judgeUrl, type Outbound } from "../../src/outbound.ts";

export const nowhere: Outbound = (url) => {
  judgeUrl(url, ALLOW_NONE);
  return Promise.reject(new Error("Nothing is called from here"));
};
