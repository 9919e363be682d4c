/** A connector that keeps all laws passes all of them. */
import { testConnector } from "../../src/kit/laws/test-connector.ts";
import { CASES } from "./source.ts";

testConnector(new URL("./cheats/honest.ts", import.meta.url), CASES);
