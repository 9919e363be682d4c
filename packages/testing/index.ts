/** What tries a connector without a hub. */
export { type Exchange, exchangeOf, type Handler, playTape, type Tape, tape, writeTape } from "../../src/kit/tape.ts";
export type { Cases, Expected, Played, Runner, Test, TestContext } from "../../src/kit/laws/cases.ts";
export { testConnector } from "../../src/kit/laws/test-connector.ts";
