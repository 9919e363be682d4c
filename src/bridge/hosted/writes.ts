/**
 * The writes of one SFTP channel. Writes that are adjacent in the same file, and have come by the time of their turn, go to
 * the disk as one; each is answered by itself, in its order.
 *
 * Clients send 32 KiB at a time and do not wait for the answers. Writing each of them costs more than its bytes do.
 */
import { Buffer } from "node:buffer";
import { MOST_TOGETHER, type Requests, type Waiting } from "./requests.ts";

interface Write {
  readonly id: number;
  readonly offset: number;
  readonly data: Buffer;
}

/** Adjacent writes to one file. */
interface Run {
  readonly handle: Buffer;
  readonly writes: Write[];
  /** The offset behind its last byte. */
  end: number;
  waiting: Waiting | null;
}

export interface WritesOptions {
  readonly requests: Pick<Requests, "add" | "join">;
  readonly write: (handle: Buffer, offset: number, data: Buffer) => Promise<void>;
  readonly ok: (id: number) => void;
  readonly refuse: (id: number, error: unknown) => void;
}

export function createWrites({ requests, write, ok, refuse }: WritesOptions) {
  const join = createJoin();
  let last: Run | null = null;

  async function writeTogether({ handle, writes }: Run): Promise<boolean> {
    if (writes.length === 1) return false;
    try {
      await write(handle, writes[0]!.offset, join(writes));
    } catch {
      return false;
    }
    for (const { id } of writes) ok(id);
    return true;
  }

  async function writeRun(run: Run): Promise<void> {
    if (await writeTogether(run)) return;
    // Written one by one, it shows which of them the disk or a limit refuses.
    for (const { id, offset, data } of run.writes) {
      try {
        await write(run.handle, offset, data);
        ok(id);
      } catch (error) {
        refuse(id, error);
      }
    }
  }

  return {
    /** `bytes`: what the request occupies in memory. */
    add(bytes: number, handle: Buffer, one: Write): void {
      const isNext = last !== null && one.offset === last.end && last.handle.equals(handle);
      if (isNext && requests.join(last!.waiting!, bytes)) {
        last!.writes.push(one);
        last!.end += one.data.length;
        return;
      }
      const run: Run = { handle, writes: [one], end: one.offset + one.data.length, waiting: null };
      run.waiting = requests.add(bytes, () => writeRun(run), true);
      last = run;
    },
  };
}

/** Joins the data of writes, in memory that is used again by the next call. */
function createJoin(): (writes: readonly Write[]) => Buffer {
  let memory: Buffer | null = null;
  return (writes) => {
    memory ??= Buffer.allocUnsafeSlow(MOST_TOGETHER);
    let length = 0;
    for (const { data } of writes) {
      memory.set(data, length);
      length += data.length;
    }
    return memory.subarray(0, length);
  };
}
