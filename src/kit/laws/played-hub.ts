/** A hub with nobody in it, in which a law lets the connector read the played source. */
import type { Installed } from "../../hub.ts";
import { authHeaders, authOf } from "../../sources/auth.ts";
import type { Handler } from "../tape.ts";
import { openTrial, type TrialDrop, type TrialRun } from "../trial.ts";
import { outboundTo, TOKEN } from "./line.ts";
import type { Subject } from "./subject.ts";
import { playerOf, TODAY } from "./tried.ts";

export interface PlayedRun {
  /** `plan`: only planned. The same drop again is not even that by `auto`, the default. */
  readonly mode?: "auto" | "plan";
  /** In place of the source of the cases. */
  readonly source?: Handler;
  /** Null: without the state of the read before. */
  readonly last?: null;
}

/** Reads the source, or takes the drop of the cases. */
export type RunInHub = (options?: PlayedRun) => Promise<TrialRun>;

export async function inHub<T>(subject: Subject, work: (run: RunInHub) => Promise<T>): Promise<T> {
  const { cases } = subject;
  let source: Handler | null = null;
  const began = performance.now(), noon = Date.parse(`${TODAY}T12:00:00Z`);
  const trial = await openTrial({
    connector: changing(withToken(subject)),
    settings: cases.settings,
    secrets: cases.secrets,
    outbound: outboundTo((request) => source!(request)),
    now: () => noon + Math.round(performance.now() - began),
    wait: () => Promise.resolve(),
  });
  try {
    return await work(async ({ mode = "auto", source: other, last } = {}) => {
      const { drop } = cases;
      if (drop !== undefined) return await trial.run({ mode, drop: drop as TrialDrop });
      source = other ?? playerOf(cases.source);
      return await trial.run({ mode, last });
    });
  } finally {
    trial.close();
  }
}

/** Each run finds other code, so that it reads every row again: a hub takes a row that it knows for unchanged. */
function changing(connector: Installed): Installed {
  let runs = 0;
  return {
    ...connector,
    get isolated() {
      return { ...connector.isolated!, digest: `${connector.isolated!.digest}-${runs++}` };
    },
  };
}

/** Tokens of a token endpoint are given out by the kit, which needs no secrets for them. */
function withToken({ connector, settings, cases: { secrets = {} } }: Subject): Installed {
  if (authHeaders(authOf(connector, settings), settings, secrets) !== null) return connector;
  return {
    ...connector,
    auth: () => ({ kind: "bearer", token: { text: TOKEN } }),
    requiredSecrets: () => [],
  };
}
