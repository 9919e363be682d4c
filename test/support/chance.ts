/**
 * Where tests that try what comes by chance begin. MUSTER_TEST_SEED has them try the same each time: `.ci/run` sets it, as
 * whether a change is taken must not depend on luck. Otherwise each run tries others, and a failure names its seed.
 */
import process from "node:process";

const fixed = process.env.MUSTER_TEST_SEED ?? "";

export const isSeedFixed = fixed !== "";

export const seed = isSeedFixed ? Number(fixed) : Date.now() % 1e9;
