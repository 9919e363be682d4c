/** A round: hubs with different clocks on one database work, and one of them is killed every few seconds. */
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom } from "../fuzz/random.ts";
import { checkEnd, type Figures, openBeside, waitForRest, WAITING } from "./ends.ts";
import { createWorld, type Shape, type World } from "./world.ts";

export interface Round extends Shape {
  readonly seconds: number;
  readonly killEveryMs: number;
  readonly seed: number;
}

export const CLOCKS = [0, 60, -60];
/** The longest that an organization waits between two of its files. */
const PAUSE_MS = 2000;
/** Runs of an organization that wait: with more, it sends no more files, so that a slow machine has an end of them. */
const MOST_WAITING = 5;

export async function play(round: Round): Promise<Figures & { readonly restMs: number; readonly kills: number }> {
  const world = await createWorld(round);
  try {
    const begin = performance.now(), end = begin + round.seconds * 1000;
    const isOver = () => performance.now() >= end;
    const [, { kills, waited }] = await Promise.all([
      post(world, isOver, round.seed),
      kill(world, isOver, round.killEveryMs),
    ]);
    const restMs = Math.round(await waitForRest(world));
    await world.hubs.stop();
    const minutes = (performance.now() - begin) / 60_000 + (Math.max(...round.clocks) - Math.min(...round.clocks)) / 60;
    return { ...checkEnd(world, { kills, takeovers: await waited(), moments: Math.ceil(minutes) + 1 }), restMs, kills };
  } catch (error) {
    const file = join(tmpdir(), `muster-soak-${round.seed}-${Date.now()}.log`);
    writeFileSync(file, world.hubs.logs());
    throw new Error(`The hubs' logs are in ${file}`, { cause: error });
  } finally {
    await world.close();
  }
}

/** Hands files over, of each organization one after the other, each to whichever hub answers. */
async function post(world: World, isOver: () => boolean, seed: number): Promise<void> {
  const beside = openBeside(world.file);
  const hasRoom = (slug: string) =>
    beside.rows<[number]>(`select count(*) from runs r join organizations o on o.id = r.organization_id
      where o.slug = '${slug}' and r.${WAITING.runs}`)[0]![0] < MOST_WAITING;
  try {
    await Promise.all(world.organizations.map(async (organization, place) => {
      const random = createRandom(seed + place);
      do {
        if (hasRoom(organization.slug)) await world.post(organization);
        await new Promise((resolve) => setTimeout(resolve, random.below(PAUSE_MS)));
      } while (!isOver());
    }));
  } finally {
    beside.close();
  }
}

interface Takeovers {
  readonly kills: number;
  /** How long each run waited for another process, in milliseconds. */
  waited(): Promise<number[]>;
}

async function kill(world: World, isOver: () => boolean, everyMs: number): Promise<Takeovers> {
  const beside = openBeside(world.file), waits: Promise<number>[] = [];
  let kills = 0;
  while (!isOver()) {
    await new Promise((resolve) => setTimeout(resolve, everyMs));
    const held = beside.rows<[number, string]>(
      "select lease_run, lease_owner from organizations where lease_run is not null",
    );
    const at = performance.now(), pid = await world.hubs.kill(everyMs);
    if (pid !== null) kills++;
    for (const [run, owner] of held) {
      if (owner.split("/")[1] === String(pid)) waits.push(whenTaken(beside.rows, run, owner, at));
    }
  }
  return {
    kills,
    async waited() {
      const all = await Promise.all(waits);
      beside.close();
      return all;
    },
  };
}

const LOOK_MS = 100, GIVES_UP_AFTER_MS = 120_000;

async function whenTaken(
  rows: <T extends unknown[]>(text: string) => T[],
  run: number,
  owner: string,
  since: number,
): Promise<number> {
  for (;;) {
    const waited = performance.now() - since;
    const [found] = rows<[string | null]>(`select lease_owner from organizations where lease_run = ${run}`);
    if (found?.[0] !== owner || waited > GIVES_UP_AFTER_MS) return waited;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
