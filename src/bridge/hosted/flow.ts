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
