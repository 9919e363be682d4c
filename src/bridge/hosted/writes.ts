/**
 * The writes of one SFTP channel. Those that lie one behind the other in the same file, and have come in by the time of
 * their turn, go to the disk as one; each is answered for itself, in its order.
 *
 * Clients send 32 KiB at a time and do not wait for the answers. To write each by itself costs more than its bytes do.
 */
import { Buffer } from "node:buffer";
import { MOST_TOGETHER, type Requests, type Waiting } from "./requests.ts";

interface Write {
  readonly id: number;
  readonly offset: number;
  readonly data: Buffer;
}

interface Run {
  readonly handle: Buffer;
  readonly writes: Write[];
  /** The offset behind its last byte. */
  end: number;
  waiting: Waiting | null;
}

export function createWrites(
  { requests, write, ok, refuse }: {
    readonly requests: Pick<Requests, "add" | "join">;
    readonly write: (handle: Buffer, offset: number, data: Buffer) => Promise<void>;
    readonly ok: (id: number) => void;
    readonly refuse: (id: number, error: unknown) => void;
  },
) {
  let last: Run | null = null;
  let memory: Buffer | null = null;

  /** In one piece, in memory that is used for the next run too. */
  function joined(writes: readonly Write[]): Buffer {
    memory ??= Buffer.allocUnsafeSlow(MOST_TOGETHER);
    let length = 0;
    for (const { data } of writes) {
      memory.set(data, length);
      length += data.length;
    }
    return memory.subarray(0, length);
  }

  async function writeTogether({ handle, writes }: Run): Promise<boolean> {
    if (writes.length === 1) return false;
    try {
      await write(handle, writes[0]!.offset, joined(writes));
    } catch {
      return false;
    }
    for (const { id } of writes) ok(id);
    return true;
  }

  async function writeRun(run: Run): Promise<void> {
    if (await writeTogether(run)) return;
    // One by one it shows which of them the disk or a limit refuses.
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
    /** `bytes`: what the request holds in memory. */
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
