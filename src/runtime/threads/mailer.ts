/** Sends mails in the background, for as long as the process runs. */
import type { Hub } from "../../hub.ts";
import { sendDueMails } from "../../notify/send-mails.ts";
import type { Holder } from "../../store/lease.ts";
import { createTurns } from "../../std/turns.ts";
import { sleep } from "../../std/sleep.ts";
import { createSmtpTransport } from "../smtp.ts";
import { type Background, startBackground } from "./background.ts";

const LOOK_EVERY_MS = 2_000;

/** `sender`: the name of this process, and how to tell that another has died. */
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
      // Aborts mails that are being sent; they are sent again at the next start, or by another process.
      transport.close();
      return stopped;
    },
  };
}
