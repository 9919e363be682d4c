/** The registry with Muster's own connectors. A value: nothing registers itself. */
import { connectors } from "../../connectors/index.ts";
import type { Connector } from "../connector.ts";

export function createRegistry(): Map<string, Connector<never>> {
  return new Map(connectors.map((connector) => [connector.name, connector as unknown as Connector<never>]));
}
