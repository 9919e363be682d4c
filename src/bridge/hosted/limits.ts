/** How much of everything the hosted server grants to those who connect. Times in milliseconds, sizes in bytes. */
export interface HostedLimits {
  /** Connections at once, and how many of them may not have logged in yet. */
  readonly connections: number;
  readonly strangers: number;
  /** The same of one network address: nobody alone keeps the others out. */
  readonly strangersFromAddress: number;
  /** Connections at once from one network address, and of one log-in. */
  readonly fromAddress: number;
  readonly ofLogIn: number;
  /** From the connection to the log-in. */
  readonly handshakeMs: number;
  /** From the client's name to the list of what it speaks: beyond, it is offered what anybody is. */
  readonly proposalMs: number;
  /** Without a request. */
  readonly idleMs: number;
  /** Tries to log in within one connection. */
  readonly tries: number;
  /** Failed log-ins a minute, by address and by user name; whoever was let in from an address lately may go on. */
  readonly failuresFromAddress: number;
  readonly failuresOfName: number;
  /** A failed log-in is answered no sooner. */
  readonly failureMs: number;
  /** Log-ins that the hub is asked about at once. */
  readonly asking: number;
  /** Channels of one connection, and open files and folders of one channel. */
  readonly channels: number;
  readonly handles: number;
  /** What one channel may have asked for and not been answered yet: beyond, it is not read from for a while. */
  readonly waitingRequests: number;
  readonly waitingBytes: number;
  /** Requests that wait while the client does not take its answers: beyond, it is sent away. */
  readonly mostRequests: number;
  /** What is dropped and not taken yet, of one connection. */
  readonly quotaBytes: number;
  readonly files: number;
  /** Of one file: the most that a drop may have. */
  readonly fileBytes: number;
  /** A file is left where it is for so long after it was closed: many clients look at it, or set its time, once more. */
  readonly settleMs: number;
  /** After a file could not be handed over; doubled with each failure that follows, up to a minute. */
  readonly retryMs: number;
}

const MIB = 1024 * 1024;

export const HOSTED_LIMITS: HostedLimits = {
  connections: 500,
  strangers: 100,
  strangersFromAddress: 20,
  fromAddress: 100,
  ofLogIn: 20,
  handshakeMs: 30_000,
  proposalMs: 300,
  idleMs: 15 * 60_000,
  tries: 6,
  failuresFromAddress: 30,
  failuresOfName: 30,
  failureMs: 500,
  asking: 8,
  channels: 8,
  handles: 128,
  waitingRequests: 256,
  waitingBytes: MIB,
  mostRequests: 32_768,
  quotaBytes: 4096 * MIB,
  files: 10_000,
  fileBytes: 1024 * MIB,
  settleMs: 2000,
  retryMs: 2000,
};
