/** A hub that takes files from a bridge and remembers them as the real one does: once by folder, name, size, time and digest. */
import { createHash } from "node:crypto";
import type { BridgeConnection, BridgeHub, SeenFile, Trouble, WholeFile } from "../../src/bridge/contract.ts";
import { keptName } from "../../src/bridge/places.ts";

export interface Taken {
  readonly connection: string;
  readonly name: string;
  readonly bytes: number;
  readonly modifiedAt: number;
  readonly sha256: string;
  isSettled: boolean;
}

export interface RecordingHub extends BridgeHub {
  connections: () => readonly BridgeConnection[];
  /** In the order they were taken. */
  readonly taken: Taken[];
  /** How often the bytes of a file were all read. */
  readonly handOvers: string[];
  /** The latest of each connection. */
  readonly health: Map<string, Trouble | null>;
  readonly seen: SeenFile[][];
  /** Called before a file is sealed; what it throws is the hub's refusal. */
  beforeSeal: (file: WholeFile) => void | Promise<void>;
  /** Called behind it, when the hub has the file and nobody has been told. */
  afterSeal: (file: WholeFile) => void | Promise<void>;
}

export function createRecordingHub(connections: readonly BridgeConnection[] = []): RecordingHub {
  const taken: Taken[] = [], handOvers: string[] = [], seen: SeenFile[][] = [];
  const health = new Map<string, Trouble | null>();
  const hub: RecordingHub = {
    connections: () => connections,
    taken,
    handOvers,
    health,
    seen,
    beforeSeal: () => {},
    afterSeal: () => {},
    async handOver(connection, file, signal) {
      const hash = createHash("sha256");
      let size = 0;
      for await (const chunk of file.open()) {
        signal.throwIfAborted();
        hash.update(chunk);
        size += chunk.length;
      }
      if (size !== file.bytes) throw new Error(`${size} bytes came of a file of ${file.bytes}`);
      handOvers.push(file.name);
      await hub.beforeSeal(file);
      const identity = {
        connection: connection.id,
        name: file.name,
        bytes: file.bytes,
        modifiedAt: file.modifiedAt,
        sha256: hash.digest("hex"),
      };
      let known = taken.find((each) => !each.isSettled && isSame(each, identity));
      const repeated = known !== undefined;
      if (known === undefined) taken.push(known = { ...identity, isSettled: false });
      await hub.afterSeal(file);
      const number = taken.indexOf(known);
      const file_ = known;
      return {
        drop: `drp_${number}`,
        run: `run_${number}`,
        repeated,
        keptAs: keptName(file.name, Date.UTC(2026, 0, 1) + number * 1000),
        settle() {
          file_.isSettled = true;
          return Promise.resolve();
        },
      };
    },
    reportListing(connection, files) {
      seen.push([...files]);
      for (const file of taken.filter((each) => each.connection === connection.id && !each.isSettled)) {
        file.isSettled = !files.some((each) => each.name === file.name && each.bytes === file.bytes);
      }
      return Promise.resolve();
    },
    isAlreadyTaken: (connection, file) =>
      Promise.resolve(
        taken.some((each) =>
          each.connection === connection.id && each.name === file.name && each.bytes === file.bytes &&
          each.modifiedAt === file.modifiedAt
        ),
      ),
    reportHealth: (connection, trouble) => void health.set(connection.id, trouble),
  };
  return hub;
}

function isSame(a: Taken, b: Omit<Taken, "isSettled">): boolean {
  return a.connection === b.connection && a.name === b.name && a.bytes === b.bytes && a.modifiedAt === b.modifiedAt &&
    a.sha256 === b.sha256;
}
