/**
 * A real process that plans and applies, killed again and again: the next one goes on at once, and in the end everything
 * is as if it had never died. One runtime is enough to do the killing.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { roundsOnDeno } from "../support/rounds.ts";
import { createLab, hand, openLab, run, runOf } from "./lab.ts";
import { accountOf, changesOf, stateOf, toldOf } from "./state.ts";
import { PLAIN, writeRows } from "./world.ts";

const CHILD = fileURLToPath(new URL("kill-child.ts", import.meta.url));
const PEOPLE = 3_000;
const KILLS = roundsOnDeno(30, 4);
/** A run that fails ten times is failed. */
const KILLS_A_RUN = Math.min(8, KILLS);
const COLUMNS = [
  "employee_id",
  "email",
  "first_name",
  "last_name",
  "title",
  "department_name",
  "manager_id",
  "is_active",
];

/** The people of a day: some moved, promoted, gone or new since the day before, some with the address of a neighbour. */
function fileOf(day: number): string {
  const rows: string[][] = [];
  for (let i = 1; i <= PEOPLE + day * 100; i++) {
    if (i % 97 === day) continue;
    // Each day other people have the address that a neighbour gives up.
    const address = i % 40 === day ? `p${i + 1}` : i % 40 === day + 1 ? `p${i}.${day}` : `p${i}`;
    rows.push([
      `${i}`,
      i % 700 === day ? "nowhere@" : `${address}@example.com`,
      `First${i}`,
      `Last${i}`,
      i % 12 === day ? `Title ${day}` : "",
      `Department ${i % 30}${i % 15 === day ? ` of day ${day}` : ""}`,
      i === 1 ? "" : `${Math.max(1, Math.floor((i % 25 === day ? i + day : i) / 10))}`,
      i % 90 === day ? "no" : "yes",
    ]);
  }
  return writeRows(COLUMNS, rows, PLAIN);
}

interface Life {
  /** The status in which it found the run. */
  readonly found: string;
  readonly killed: boolean;
  readonly workedMs: number;
}

/** When a process is killed: so many milliseconds after it began to work, or once it has reported so often that it applies. */
type Strike = { readonly afterMs: number } | { readonly applying: number };

let lives = 0;

/** Starts a process on the database and kills it; null: lets it live. */
function live(path: string, strike: Strike | null): Promise<Life> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["run", "-A", "--no-check", CHILD, path, String(++lives)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "", found = "", began = 0, struck = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    child.stdout!.on("data", (data) => {
      output += data;
      const kill = () => {
        if (struck) return;
        struck = true;
        process.kill(child.pid!, "SIGKILL");
      };
      if (strike !== null && "applying" in strike && output.split("\napply\n").length > strike.applying) kill();
      if (found !== "" || !output.includes("\n")) return;
      found = output.split("\n")[0]!;
      began = Date.now();
      if (strike !== null && "afterMs" in strike) timer = setTimeout(kill, strike.afterMs);
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      if (code !== 0 && !struck) return reject(new Error(`The process ended by itself with ${code}`));
      resolve({ found, killed: struck && !output.includes("done"), workedMs: Date.now() - began });
    });
  });
}

test(`killed ${KILLS} times while planning and applying, runs end as if nothing had happened`, {
  skip: "Deno" in globalThis ? false : "the killing is done under Deno",
}, async () => {
  const rules = {
    key: "employee_id",
    policy: { missing: "deactivate", missing_after_runs: 2, missing_after_hours: 0 },
  } as const;
  const calm = await createLab(rules);
  const path = await calm.save();
  let kills = 0, whileApplying = 0;
  for (let day = 0; kills < KILLS; day++) {
    const input = { connection: "first", text: fileOf(day) } as const;
    calm.clock.ms += 86_400_000;
    const began = Date.now();
    const whole = await run(calm, input);
    const usualMs = Date.now() - began;

    const before = await openLab(path, Date.now());
    const id = await hand(before, input);
    before.close();
    let life: Life | null = null;
    for (let killed = 0; killed < KILLS_A_RUN && life?.killed !== false; killed++) {
      // By the clock while it reads and plans; by what it says once it may apply, as that is over soon.
      const byTheClock = killed < KILLS_A_RUN / 2 && life?.found !== "applying";
      life = await live(path, byTheClock ? { afterMs: Math.random() * usualMs } : { applying: 1 });
      if (!life.killed) break;
      kills++;
      if (life.found === "applying") whileApplying++;
    }
    if (life?.killed !== false) await live(path, null);

    const after = await openLab(path, Date.now());
    const resumed = await runOf(after, id);
    assert.equal(resumed.status, "partial", JSON.stringify(resumed.error));
    assert.deepEqual(await accountOf(after, resumed), await accountOf(calm, whole));
    assert.deepEqual(await toldOf(after, resumed), await toldOf(calm, whole));
    assert.deepEqual(await stateOf(after, { digests: true }), await stateOf(calm, { digests: true }));
    // As a diff: a second full input would be the second absence of those who are missing.
    const again = await run(after, { ...input, coverage: "diff", mode: "plan" });
    assert.deepEqual(await changesOf(after, again), []);
    after.close();
  }
  assert.ok(whileApplying > 0);
  console.log(`${kills} kills, at least ${whileApplying} of them while applying`);
  calm.close();
});
