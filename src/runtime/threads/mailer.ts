/** Looks for mails to send every so often, beside everything else that the process does. */
import type { Hub } from "../../hub.ts";
import { sendDueMails } from "../../notify/send-mails.ts";
import type { Holder } from "../../store/lease.ts";
import { createTurns } from "../../std/turns.ts";
import { sleep } from "../../std/sleep.ts";
import { createSmtpTransport } from "../smtp.ts";
import { type Background, startBackground } from "./background.ts";

const LOOK_EVERY_MS = 2_000;

/** `sender`: the name of this process, and whether another's is known to be that of one that died. */
export function startMailer(hub: Hub, smtpUrl: string, sender: Holder): Background {
  const transport = createSmtpTransport(smtpUrl);
  const turns = createTurns();
  const mailer = startBackground(hub, "mailer", async (signal) => {
    while (!signal.aborted && await sendDueMails(hub, transport.send, sender, turns) > 0);
    await sleep(LOOK_EVERY_MS, signal).catch(() => {});
  }, { afterFailureMs: LOOK_EVERY_MS });
  return {
    stop() {
      const stopped = mailer.stop();
      // Ends what is being sent; it is sent again at the next start, or by another process.
      transport.close();
      return stopped;
    },
  };
}
