/**
 * Makes a tape of a real source in which nobody real is. The source is read once; its answers are replaced; and the connector
 * reads those, and is asked what it asks now. So its requests, too, are made of replaced answers alone, and a tape is only
 * made when it gives as many people as the source did.
 */
import type { Installed } from "../../hub.ts";
import { Fault } from "../../model/errors.ts";
import type { Entity } from "../../model/record.ts";
import { parseSettings, prepareSettings } from "../../runs/settings.ts";
import type { Outbound } from "../../security/outbound.ts";
import { hostsOf } from "../../sources/auth.ts";
import { isObject } from "../../std/is-object.ts";
import { tryCheck } from "../laws/check-laws.ts";
import { readOnce } from "../laws/read.ts";
import { playerOf, TODAY, type Tried } from "../laws/tried.ts";
import { type Exchange, exchangeOf, type Handler, type Tape } from "../tape.ts";
import { createFakes, MAILS, WORD } from "./fakes.ts";
import { type Part, readReal, type RealExchange, type RealRead } from "./real.ts";
import { createReplacer, type Replacer } from "./replace.ts";
import type { Words } from "./words.ts";

export interface RecordOptions {
  readonly connector: Installed;
  /** What its code says. */
  readonly words: Words;
  readonly settings: unknown;
  readonly secrets: Readonly<Record<string, string>>;
  readonly outbound: Outbound;
  readonly signal: AbortSignal;
}

export interface Recorded {
  readonly tape: Tape;
  readonly counts: ReadonlyMap<Entity, number>;
  /** Values that are as the source gave them, as `name: value`. */
  readonly kept: readonly string[];
}

/** Fails with `unprocessable` where no tape can be made that plays. */
export async function recordTape(options: RecordOptions): Promise<Recorded> {
  const { connector, settings, secrets } = options;
  const real = await readReal(options);
  await prepareSettings(connector, settings);
  const tried: Tried = {
    connector,
    settings: parseSettings(connector, settings),
    cases: { settings, secrets: Object.fromEntries(Object.keys(secrets).map((name) => [name, `fake-secret-${name}`])) },
  };
  const replacer = replacerOf(tried, options.words, real);
  const exchanges: Exchange[] = [];
  await requireSame(
    tried,
    real,
    (part) => playReplaced(real.exchanges.filter((each) => each.part === part), replacer, exchanges),
  );
  const tape: Tape = { tape: 1, exchanges };
  await requireSame(tried, real, () => playerOf(tape));
  requireNobody(tape, real, Object.values(secrets));
  return { tape, counts: real.counts, kept: [...replacer.kept].sort() };
}

function replacerOf({ connector, settings }: Tried, words: Words, { exchanges }: RealRead): Replacer {
  const real = new Set<string>();
  for (const { url, body, headers } of exchanges) {
    for (const text of [url, plain(body), ...headers.values()]) {
      for (const [word] of text.matchAll(WORD)) real.add(word.toLowerCase());
    }
  }
  const now = Date.now();
  const replacer = createReplacer({
    fakes: createFakes({ real, readAt: now, playedAt: Date.parse(TODAY) }),
    words,
    mapping: connector.mapping ?? {},
    settings: isObject(settings) ? Object.values(settings).filter((value) => typeof value === "string") : [],
    hosts: hostsOf(connector, settings),
  });
  for (const { body } of exchanges) replacer.note(body);
  return replacer;
}

/** Without the escapes of JSON, which would hide a word. */
function plain(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body));
  } catch {
    return body;
  }
}

/** The source as it would be without anybody real. What is asked and answered is added to `exchanges`. */
function playReplaced(real: readonly RealExchange[], replacer: Replacer, exchanges: Exchange[]): Handler {
  const left = [...real];
  let last: { readonly key: string; readonly answer: () => Response } | null = null;
  return async (request) => {
    const text = await request.clone().text(), key = JSON.stringify([request.method, request.url, text]);
    // The hub asks again by itself where that may help.
    if (last?.key === key && MAY_PASS.has(last.answer().status)) return last.answer();
    const found = takeFor(request, left, replacer);
    if (found === null) throw new Error("The connector asks for more than it asked of the source");
    const body = found.body === "" ? null : replacer.body(found.body, found.headers.get("content-type"));
    const answer = () => new Response(body, { status: found.status, headers: replacer.headers(found.headers) });
    last = { key, answer };
    exchanges.push(await exchangeOf(request, answer()));
    return answer();
  };
}

const MAY_PASS: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** The real request that this one was: replaced in the same way, otherwise at the same path, otherwise the next one. */
function takeFor(request: Request, left: RealExchange[], replacer: Replacer): RealExchange | null {
  const path = (url: string) => new URL(url).pathname;
  const same: ((real: RealExchange) => boolean)[] = [
    ({ url }) => url === request.url || new URL(replacer.url(url)).href === request.url,
    ({ url }) => path(replacer.url(url)) === path(request.url),
    () => true,
  ];
  for (const fits of same) {
    const at = left.findIndex((real) => real.method === request.method && fits(real));
    if (at >= 0) return left.splice(at, 1)[0]!;
  }
  return null;
}

/** Reads what the source was read for. Fails where that gives something else. */
async function requireSame(tried: Tried, { exchanges, counts }: RealRead, sourceOf: (part: Part) => Handler) {
  for (const [entity, count] of counts) {
    const { fault, count: found } = await readOnce(tried, { entity, source: sourceOf(entity) });
    if (fault === null && found === count) continue;
    const why = fault === null ? "" : ` (${fault.message})`;
    throw new Fault(
      "unprocessable",
      `The source gave ${count} ${entity}, and with all values replaced it gives ${found}${why}. A value that the connector ` +
        "looks for has to be a text of its own code to be kept: write it there",
    );
  }
  if (!exchanges.some(({ part }) => part === "check")) return;
  await tryCheck({ ...tried, cases: { ...tried.cases, source: sourceOf("check") } }).catch((cause) => {
    throw new Fault("unprocessable", "With all values replaced, the connector's check fails", { cause });
  });
}

/** A shorter one may be in any text. */
const SHORTEST_SECRET = 6;

/** A last look: no secret and no address of a person may be left, wherever it came from. */
function requireNobody({ exchanges }: Tape, real: RealRead, secrets: readonly string[]): void {
  const text = JSON.stringify(exchanges).toLowerCase();
  const mails = real.exchanges.flatMap(({ body, url }) =>
    [...`${plain(body)} ${url}`.matchAll(MAILS)].map(([mail]) => mail)
  );
  const known = [...secrets.filter((secret) => secret.length >= SHORTEST_SECRET), ...mails];
  if (known.some((each) => text.includes(each.toLowerCase()))) {
    throw new Fault(
      "unprocessable",
      "An address or a secret is left in the tape, so it is not written: the connector's code or settings have it",
    );
  }
}
