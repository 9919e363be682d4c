/**
 * How much is done of what takes long. `npm run check` sets MUSTER_TEST_ALL and has all of it; `npm test` has a little of
 * each, or, where little of it shows nothing, leaves it to the check.
 */
import process from "node:process";

const isAll = (process.env.MUSTER_TEST_ALL ?? "") !== "";

/** `all` in `npm run check`, and `few` in `npm test`: how many times, or which. */
export const rounds = <T>(all: T, few: T): T => isAll ? all : few;

/** Why a test that only `npm run check` has is skipped; false in the check. */
export const onlyInCheck: string | false = isAll ? false : "npm run check has this test, as MUSTER_TEST_ALL=1 does";

const isAllHere = isAll && "Deno" in globalThis;

/** As `rounds`, for what shows the same on any runtime: Node has `few` in the check, too. */
export const roundsOnDeno = <T>(all: T, few: T): T => isAllHere ? all : few;

/** As `onlyInCheck`, for what shows the same on any runtime: Node is without it. */
export const onlyInCheckOnDeno: string | false = isAllHere ? false : "npm run check has this test, on Deno";
