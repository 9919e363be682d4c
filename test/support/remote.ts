/** Visits of a remote server in tests: a connection to one on loopback, limits that end soon, time that tests move. */
import { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BridgeConnection, Dial, SftpSecrets } from "../../src/bridge/contract.ts";
import type { SftpSettings } from "../../src/model/sftp.ts";
import { LIMITS, type Limits } from "../../src/bridge/remote/limits.ts";
import { createDial } from "../../src/runtime/dial.ts";
import { parseAllowHosts } from "../../src/security/outbound.ts";
import { openSession } from "../../src/bridge/remote/session.ts";
import { createMemory, type Memory, visit, type Visited } from "../../src/bridge/remote/visit.ts";
import type { RecordingHub } from "./hand-over.ts";
import type { SshServer } from "./sshd.ts";

export const QUICK: Limits = { ...LIMITS, connectMs: 2000, logInMs: 5000, answerMs: 2000, transferMs: 10_000 };

/** The real one, with the gate open for loopback. */
export const dialLoopback: Dial = createDial(
  parseAllowHosts("127.0.0.0/8").allow,
  () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]),
);

export interface Said extends Partial<Omit<SftpSettings, "remote">> {
  readonly id?: string;
  readonly port?: number;
  readonly username?: string;
  readonly hostKey?: string | null;
  readonly secrets?: SftpSecrets;
}

export function connectionTo(server: SshServer, said: Said = {}): BridgeConnection {
  const { id = "con_1", port, username, hostKey, secrets, ...settings } = said;
  return {
    id,
    organization: `org_of_${id}`,
    slug: "hr",
    name: "HR",
    mode: "remote",
    paused: false,
    version: 1,
    visitedAt: null,
    settings: {
      folder: join(server.folder, "incoming"),
      patterns: ["*.csv"],
      when: { kind: "at_once" },
      after: "move",
      ...settings,
      remote: {
        host: "sftp.example.com",
        port: port ?? server.port,
        username: username ?? server.username,
        hostKey: hostKey === undefined ? server.hostKey : hostKey,
      },
    },
    secrets: secrets ?? { privateKey: server.privateKey, passphrase: server.passphrase },
  };
}

export interface Visitor {
  readonly memory: Memory;
  /** Seconds since its first visit. */
  seconds: number;
  visit(): Promise<Visited>;
}

/** Visits the server as the poller does, at moments that the test says. Rejects with what stood in the way. */
export function createVisitor(hub: RecordingHub, connection: BridgeConnection, limits: Limits = QUICK): Visitor {
  const visitor: Visitor = {
    memory: createMemory(),
    seconds: 0,
    async visit() {
      const { signal } = new AbortController();
      const session = await openSession({ dial: dialLoopback, connection, limits, signal });
      try {
        return await visit(session, {
          hub,
          memory: visitor.memory,
          elapsed: () => visitor.seconds * 1000,
          transfer: () => Promise.resolve(() => {}),
          signal,
        });
      } finally {
        session.close();
      }
    },
  };
  return visitor;
}

/** Puts a file there, last changed `age` seconds ago. */
export function put(server: SshServer, name: string, content: string | Uint8Array, age = 3600): void {
  const path = join(server.folder, "incoming", name);
  writeFileSync(path, content);
  const at = Math.floor(Date.now() / 1000) - age;
  utimesSync(path, at, at);
}
