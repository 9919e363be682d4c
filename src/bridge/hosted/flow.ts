/** Whether a socket is read from: not as long as anybody has a reason. What its client sends then waits with the client. */
import type { Socket } from "node:net";

/** Whoever has the reason says whether it holds. */
export type Flow = (reason: object, holds: boolean) => void;

export function createFlow(socket: Socket): Flow {
  const reasons = new Set<object>();
  let paused = false;
  return (reason, holds) => {
    if (holds) reasons.add(reason);
    else reasons.delete(reason);
    if (paused === reasons.size > 0) return;
    paused = !paused;
    if (paused) socket.pause();
    else socket.resume();
  };
}

/** Says of each piece that comes how many milliseconds it took all who listen. */
export function timeReading(socket: Socket, took: (ms: number) => void): void {
  const emit = socket.emit.bind(socket) as (event: string, ...args: unknown[]) => boolean;
  socket.emit = ((event: string, ...args: unknown[]): boolean => {
    if (event !== "data") return emit(event, ...args);
    const at = performance.now();
    try {
      return emit(event, ...args);
    } finally {
      took(performance.now() - at);
    }
  }) as Socket["emit"];
}
