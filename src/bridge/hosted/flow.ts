/** Pauses reading from a socket while there is a reason to. What its client sends then waits on the client's side. */
import type { Socket } from "node:net";

/** `reason` identifies the reason, `holds` whether it applies now. */
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

/** Reports for each piece of data how many milliseconds all its listeners took. */
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
