/**
 * `muster connector dev DIR`: does what a dry run does, and does it again after each save. Each try has an empty hub of its
 * own, so a change of the code counts under the same version, too. Whatever the connector does, the watch goes on.
 */
import { openTrial, type Trial } from "../../kit/trial.ts";
import { Fault } from "../../model/errors.ts";
import { DONE, type Terminal } from "../../runtime/command.ts";
import type { Bundle } from "../../runtime/sandbox/bundle.ts";
import { createSourcePlace } from "../../runtime/sandbox/source-place.ts";
import type { Outbound } from "../../security/outbound.ts";
import { connectionOf, type ConnectionValues, filesNamed, outboundOf, readOf, type ReadValues } from "./given.ts";
import { type Loaded, loadFrom } from "./load.ts";
import { differenceOf, linesOf, type People, peopleOf } from "./shown.ts";
import { printable } from "./text.ts";
import { createWatch, type Watch } from "./watch.ts";

/** An author is not to wait for as long as a hub does. */
const LIMITS = { idleMs: 10_000 };

export type DevValues = ConnectionValues & ReadValues;

/** What stays from one try to the next. */
interface Session {
  readonly values: DevValues;
  readonly terminal: Terminal;
  readonly place: string;
  readonly outbound: Outbound;
  /** Asked for once. */
  readonly secrets: Map<string, string>;
  /** What the connector was made of when it was last found. */
  files: readonly string[];
  /** What the last try that came to its end found; null: there was none. */
  last: { readonly digest: string; readonly people: People } | null;
}

/** Returns when it is interrupted. Fails where there is nothing to watch. */
export async function developConnector(values: DevValues, terminal: Terminal, place: string): Promise<number> {
  const outbound = outboundOf(values, terminal);
  const session: Session = { values, terminal, place, outbound, secrets: new Map(), files: [], last: null };
  const over = new AbortController();
  const restore = terminal.onInterrupt(() => over.abort(new Error("Interrupted")));
  try {
    while (!over.signal.aborted) {
      const watch = createWatch(), saved = new AbortController();
      for (const file of filesNamed(values, terminal)) watch.note(file);
      const changed = watch.change(over.signal).then(() => saved.abort(new Error("Saved")), () => {});
      const isAgain = session.last !== null;
      await tryOnce(session, watch, AbortSignal.any([over.signal, saved.signal])).catch((error) => {
        over.abort(error);
        throw error;
      });
      if (!over.signal.aborted && !saved.signal.aborted) terminal.out(isAgain ? WAITING : `${WAITING}; Ctrl-C ends`);
      await changed;
    }
    return DONE;
  } finally {
    restore();
  }
}

const WAITING = "Waiting for the next save";

/** Shows what comes of it, unless the signal is aborted. Everything that it started has ended afterwards. */
async function tryOnce(session: Session, watch: Watch, signal: AbortSignal): Promise<void> {
  const { values, terminal, place, outbound, secrets } = session;
  const files: string[] = [];
  let loaded: Loaded | null = null, trial: Trial | null = null;
  try {
    loaded = await loadFrom(place, terminal.base, {
      signal,
      limits: LIMITS,
      onFile(path) {
        files.push(path);
        watch.note(path);
      },
    });
    const { connector } = loaded;
    const read = readOf(connector, values, terminal);
    const connection = await connectionOf(connector, values, terminal, secrets);
    trial = await openTrial({ connector, ...connection, outbound });
    const run = await trial.run({ mode: "plan", ...read, signal });
    if (!signal.aborted) show(session, loaded, run);
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof Fault) || (files.length === 0 && session.files.length === 0)) throw error;
    terminal.out("");
    for (const line of error.message.split("\n")) terminal.out(printable(line));
  } finally {
    if (files.length > 0) session.files = files;
    // It may be back in a moment, as while an editor saves it.
    else for (const file of session.files) watch.note(file);
    trial?.close();
    await loaded?.end();
  }
}

function show(
  session: Session,
  { connector: { name, version }, bundle }: Loaded,
  run: Awaited<ReturnType<Trial["run"]>>,
): void {
  const { terminal, last } = session, { digest } = bundle;
  const isSame = digest === last?.digest ? ", as before" : "";
  terminal.out("");
  terminal.out(`${name} ${version}, code ${digest.slice(0, 12)}${isSame}`);
  for (const line of linesOf(run)) terminal.out(line);
  const hang = placeOfHang(run.error?.message ?? "", bundle);
  if (hang !== null) terminal.out(hang);
  if (run.error !== null || run.status === "failed") return;
  const people = peopleOf(run);
  for (const line of last === null ? [] : differenceOf(last.people, people)) terminal.out(line);
  session.last = { digest, people };
}

/** What does nothing has no line of its own to show, so this is where its function begins. Null: it is not known. */
function placeOfHang(message: string, { code, map }: Bundle): string | null {
  const name = /did nothing for \d+ s in "(\w+)"/.exec(message)?.[1];
  const found = name === undefined ? null : new RegExp(`(?:async\\s*\\*?|\\*)\\s*${name}\\s*\\(`).exec(code);
  if (found === null) return null;
  const before = code.slice(0, found.index).split("\n");
  const place = createSourcePlace(map)([before.length, before.at(-1)!.length + 1]);
  return place === null ? null : `Its "${name}" begins at ${place}`;
}
