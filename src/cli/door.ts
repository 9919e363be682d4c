/** The HTTP server of `muster serve`, from before there is a hub behind it. */
import type { Hub } from "../hub.ts";
import type { Handler, Listening, Terminal } from "../runtime/command.ts";
import type { Config } from "../runtime/config.ts";
import { createRates, digestShown, type Rates } from "../security/rates.ts";

export interface Door {
  readonly listening: Listening;
  readonly rates: Rates;
  /** Where the server listens, such as `http://127.0.0.1:8787`. */
  readonly address: string;
  /** Answers requests with the hub's application from now on. */
  open(handler: Handler): void;
}

/** Listens, and answers 503 until the door is opened. */
export async function openDoor(config: Config, terminal: Terminal, log: Hub["log"]): Promise<Door> {
  const rates = createRates({ requests: config.rateLimit, logins: config.loginLimit }, () => performance.now());
  const whose = (authorization: string | undefined) => rates.welcome.whose(digestShown(authorization));
  let handle: Handler = () => new Response(null, { status: 503 });
  const listening = await terminal.listen((request, address) => handle(request, address), { ...config, whose }, log);
  return {
    listening,
    rates,
    address: `http://${bracketed(config.host)}:${listening.port}`,
    open: (handler) => handle = handler,
  };
}

/** The host as a URL has it: an IPv6 address is in brackets. */
export function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
