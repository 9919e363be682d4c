/** Looks for mails to send every so often, beside everything else that the process does. */
import type { Hub } from "../../hub.ts";
import { sendDueMails } from "../../notify/send-mails.ts";
import type { Sender } from "../../store/notify/mails.ts";
import { createTurns } from "../../std/turns.ts";
import { describeError } from "../log.ts";
import { createSmtpTransport } from "../smtp.ts";

const LOOK_EVERY_MS = 2_000;

export interface Mailer {
  /** Ends what is being sent; it is sent again at the next start, or by another process. */
  stop(): Promise<void>;
}

/** `sender`: the name of this process, and whether another's is known to be that of one that died. */
export function startMailer(hub: Hub, smtpUrl: string, sender: Sender): Mailer {
  const transport = createSmtpTransport(smtpUrl);
  const turns = createTurns();
  let stopped = false;
  let wake = () => {};
  const ended = (async () => {
    while (!stopped) {
      try {
        while (!stopped && await sendDueMails(hub, transport.send, sender, turns) > 0);
      } catch (error) {
        hub.log("mailer.failed", describeError(error));
      }
      if (stopped) break;
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        wake = resolve;
        timer = setTimeout(resolve, LOOK_EVERY_MS);
      });
      clearTimeout(timer);
    }
  })();
  return {
    async stop() {
      stopped = true;
      wake();
      transport.close();
      await ended;
    },
  };
}
