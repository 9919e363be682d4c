/** Digests of what people are called by, keyed by the connection. */
import { digestCells } from "../intake/digest.ts";
import { hexOf } from "../std/hex.ts";
import type { Connection } from "../store/connections/connections.ts";
import { saltOf } from "./read-drop.ts";

export function namer({ salt: secret }: Pick<Connection, "salt">): (text: string) => string {
  const salt = saltOf(secret, ["names"]), digest = new Int32Array(4);
  return (text) => {
    digestCells([text], salt, digest, 0);
    return hexOf(digest);
  };
}
