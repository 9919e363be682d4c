/**
 * The SSH library's internals that are used here; announce.ts uses some too. If they change, a limit is not enforced, and
 * test/bridge/hosted/unread.test.ts fails.
 */
import type { Buffer } from "node:buffer";
import type { Session, SFTPWrapper } from "ssh2";

interface Outgoing {
  readonly window: number;
  readonly packetSize: number;
  readonly state: string;
}

/** Whether an answer would be sent now, and not wait in the library for room or for a key exchange. */
export function sendsNow(sftp: SFTPWrapper): boolean {
  const { outgoing, _protocol: protocol } = sftp as unknown as {
    readonly outgoing?: Outgoing;
    readonly _protocol?: { readonly _kexinit?: unknown };
  };
  // Answers on a channel that has ended are not sent at all.
  if (outgoing === undefined || outgoing.state !== "open") return true;
  return outgoing.window > 0 && protocol?._kexinit === undefined;
}

/** The largest packet that the client accepts; null: unknown. */
export function mostAtOnce(session: Session): number | null {
  const { _chanInfo: info } = session as unknown as { readonly _chanInfo?: { readonly outgoing?: Outgoing } };
  return info?.outgoing?.packetSize ?? null;
}

/** How the library passes data to a channel; null: the client sends no more. */
export type Push = (data: Buffer | null) => void;

/** Puts a function between the library and the channel. Returns the original. */
export function interceptPush(sftp: SFTPWrapper, push: Push): Push {
  const inside = sftp as unknown as { push: Push };
  const before = inside.push.bind(sftp);
  inside.push = push;
  return before;
}

/** Ends the channel of a client that is done: with exit status 0, without which `scp` and `sftp` take it for broken. */
export function hangUp(sftp: SFTPWrapper): void {
  const { outgoing, _protocol: protocol } = sftp as unknown as {
    readonly outgoing: Outgoing & { readonly id: number };
    readonly _protocol: { exitStatus(channel: number, status: number): void };
  };
  if (outgoing.state === "open") protocol.exitStatus(outgoing.id, 0);
  sftp.end();
}
