/** What authors of connectors test with. */
export { type Exchange, exchangeOf, type Handler, playTape, type Tape, tape, writeTape } from "./tape.ts";
export type { Cases, Expected, Played, Runner, Test, TestContext } from "./laws/cases.ts";
export { testConnector } from "./laws/test-connector.ts";
