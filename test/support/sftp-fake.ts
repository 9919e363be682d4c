/**
 * A server with folders in memory, and something that takes whole files from it as the poller does: for tests of what
 * both sides of SFTP have in common. It behaves; it does not assert.
 */
import type {
  BridgeConnection,
  BridgeHub,
  CheckResult,
  Poller,
  PollerOptions,
  SeenFile,
  Transport,
} from "../../src/bridge/contract.ts";
import { isMeant } from "../../src/bridge/places.ts";

interface Kept {
  readonly content: Uint8Array<ArrayBuffer>;
  readonly modifiedAt: number;
}

export interface FakeServer {
  /** By path, `/incoming/users.csv`. */
  readonly files: Map<string, Kept>;
  /** Puts a file there, as a customer does. */
  drop(path: string, content: string | Uint8Array<ArrayBuffer>, modifiedAt?: number): void;
  /** Text of a file; fails when there is none. */
  read(path: string): string;
  /** Names in a folder. */
  names(folder: string): string[];
  transport(): Transport;
}

export function createFakeServer(): FakeServer {
  const files = new Map<string, Kept>();
  const list = (folder: string): SeenFile[] => {
    const prefix = folder === "/" ? "/" : `${folder}/`;
    return [...files].filter(([path]) => path.startsWith(prefix) && !path.slice(prefix.length).includes("/"))
      .map(([path, { content, modifiedAt }]) => ({
        name: path.slice(prefix.length),
        bytes: content.length,
        modifiedAt,
      }));
  };
  return {
    files,
    drop(path, content, modifiedAt = 1_700_000_000_000) {
      files.set(path, {
        content: typeof content === "string" ? new TextEncoder().encode(content) : content,
        modifiedAt,
      });
    },
    read(path) {
      const file = files.get(path);
      if (file === undefined) throw new Error(`There is no "${path}" among ${[...files.keys()].join(", ")}`);
      return new TextDecoder().decode(file.content);
    },
    names: (folder) => list(folder).map(({ name }) => name).sort(),
    transport: () => ({
      list: (folder) => Promise.resolve(list(folder)),
      async write(path, stream) {
        const content = new Uint8Array(
          await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer(),
        );
        files.set(path, { content, modifiedAt: Date.now() });
      },
      rename(from, to) {
        const file = files.get(from);
        if (file === undefined) return Promise.reject(Object.assign(new Error("None"), { code: "ENOENT" }));
        files.delete(from);
        files.set(to, file);
        return Promise.resolve();
      },
      remove: (path) => Promise.resolve(void files.delete(path)),
      close: () => Promise.resolve(),
    }),
  };
}

export interface FakePoller extends Poller {
  readonly hub: BridgeHub;
  /** Looks once at a connection's server, and takes what is there. Dies where `dieAt` says, as a killed process does. */
  visit(id: string, options?: { dieAt?: "before_move" | "before_settle" }): Promise<void>;
  readonly checks: string[];
}

/** Servers by connection. */
export function createFakePoller(
  options: PollerOptions,
  servers: Map<string, FakeServer>,
  checked: CheckResult = { ok: true, detail: "It answers", found: { files: 0 } },
): FakePoller {
  const { hub } = options;
  const checks: string[] = [];
  const serverOf = ({ id }: BridgeConnection) => {
    const server = servers.get(id);
    if (server === undefined) throw new Error(`There is no server for ${id}`);
    return server;
  };
  return {
    hub,
    checks,
    async visit(id, { dieAt } = {}) {
      const connection = hub.connections().find((each) => each.id === id);
      if (connection === undefined) throw new Error(`The bridge does not hold ${id}`);
      const server = serverOf(connection);
      const { folder, patterns, after } = connection.settings;
      const listing = await server.transport().list(folder);
      await hub.reportListing(connection, listing);
      const whole = listing.filter(({ name, bytes }) => bytes > 0 && isMeant(name, patterns))
        .sort((a, b) => a.modifiedAt - b.modifiedAt);
      for (const file of whole) {
        if (after === "leave" && await hub.isAlreadyTaken(connection, file)) continue;
        const path = `${folder === "/" ? "" : folder}/${file.name}`;
        const taken = await hub.handOver(connection, {
          ...file,
          folder,
          open: () => new Blob([server.files.get(path)!.content]).stream(),
        }, new AbortController().signal);
        if (dieAt === "before_move") return;
        const bak = connection.mode === "hosted" || folder === "/" ? "/.bak" : `${folder}/.bak`;
        if (after === "move") await server.transport().rename(path, `${bak}/${taken.keptAs}`);
        if (after === "delete") await server.transport().remove(path);
        if (dieAt === "before_settle") return;
        await taken.settle();
      }
      hub.reportHealth(connection, null);
    },
    openTransport: (connection) => Promise.resolve(serverOf(connection).transport()),
    check(connection) {
      checks.push(connection.id);
      return Promise.resolve(checked);
    },
    changed() {},
    close: () => Promise.resolve(),
  };
}
