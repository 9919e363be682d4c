/**
 * What is used of the SSH library as it is inside, beyond what it promises; announce.ts does so too. Where it is not as it
 * is known here, a limit less is kept. test/bridge/hosted-unread.test.ts says so when that happens.
 */
import type { Buffer } from "node:buffer";
import type { Session, SFTPWrapper } from "ssh2";

interface Outgoing {
  readonly window: number;
  readonly packetSize: number;
  readonly state: string;
}

/** Whether an answer would be sent now, and not wait in the library until the client makes room or has agreed on keys. */
export function sendsNow(sftp: SFTPWrapper): boolean {
  const { outgoing, _protocol: protocol } = sftp as unknown as {
    readonly outgoing?: Outgoing;
    readonly _protocol?: { readonly _kexinit?: unknown };
  };
  // What is answered on a channel that was ended is not sent at all.
  if (outgoing === undefined || outgoing.state !== "open") return true;
  return outgoing.window > 0 && protocol?._kexinit === undefined;
}

/** The most bytes that the client takes at once; null: unknown. */
export function mostAtOnce(session: Session): number | null {
  const { _chanInfo: info } = session as unknown as { readonly _chanInfo?: { readonly outgoing?: Outgoing } };
  return info?.outgoing?.packetSize ?? null;
}

/** Where the library gives a channel what has come for it; null: its client sends no more. */
export type Push = (data: Buffer | null) => void;

/** Puts a function between the library and the channel, and gives the one that was there. */
export function interceptPush(sftp: SFTPWrapper, push: Push): Push {
  const inside = sftp as unknown as { push: Push };
  const before = inside.push.bind(sftp);
  inside.push = push;
  return before;
}
