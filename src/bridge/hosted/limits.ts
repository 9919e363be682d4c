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
  /** From the server's first line to the end of the key exchange. */
  readonly keyExchangeMs: number;
  /** What may be sent before the log-in. */
  readonly strangerBytes: number;
  /** From the client's name to the list of what it speaks: beyond, it is offered what anybody is. */
  readonly proposalMs: number;
  /**
   * What a client sends at once may take so long, where a piece of a file takes a millisecond. Beyond, nobody of its log-in,
   * or of its address before that, is read from for as long again: so others have their turns.
   */
  readonly dearMs: number;
  /** Without a request. */
  readonly idleMs: number;
  /** Tries to log in within one connection. */
  readonly tries: number;
  /** Of whatever a client asks to be let in with, within one connection; of keys it asks about each before it signs. */
  readonly requestsToLogIn: number;
  /**
   * Failed log-ins a minute. Of an address: beyond, its passwords are not looked at, but for those of whoever was let in
   * from there lately. Of a user name: beyond, answers come late, and the right ones count all the same.
   */
  readonly failuresFromAddress: number;
  readonly failuresOfName: number;
  /** A failed log-in is answered no sooner; doubled with each that follows on the same connection, up to the most. */
  readonly failureMs: number;
  readonly mostFailureMs: number;
  /** Connections of an address that ended without a log-in, a minute: beyond, one is answered each `paceMs`. */
  readonly wastedFromAddress: number;
  readonly paceMs: number;
  /** Log-ins that the hub is asked about at once, in all and of one address. */
  readonly asking: number;
  readonly askingFromAddress: number;
  /** New keys that a client may ask for in a minute, beside one for each 16 KiB that passed. */
  readonly rekeys: number;
  /** Channels of one connection, at once and one after another. */
  readonly channels: number;
  readonly channelsInAll: number;
  /** What a client has to take as one packet, at least: each costs some thirty bytes and a cipher, whatever it carries. */
  readonly leastPacketBytes: number;
  /** Open files and folders of one channel and of one log-in, and names in folders that a log-in has open. */
  readonly handles: number;
  readonly handlesOfLogIn: number;
  readonly namesOfLogIn: number;
  /** Of all who are logged in: the process may open only so many files, and names are memory. */
  readonly handlesInAll: number;
  readonly namesInAll: number;
  /** What one channel may have asked for and not been answered yet: beyond, it is not read from for a while. */
  readonly waitingRequests: number;
  readonly waitingBytes: number;
  /** What the client has not taken yet of what it was sent: beyond, it is not read from, and not answered. */
  readonly unsentBytes: number;
  /** Beyond, it is sent away; little comes of what was read before. */
  readonly mostUnsentBytes: number;
  /** A client that takes nothing for so long, or makes no room for answers to what it asks, is sent away. */
  readonly stuckMs: number;
  /** What waits for clients to make room for answers, of one log-in and in all: beyond, whoever asks more is sent away. */
  readonly stuckBytesOfLogIn: number;
  readonly stuckBytesInAll: number;
  /** What is dropped and not taken yet, of one connection. */
  readonly quotaBytes: number;
  readonly files: number;
  /** What `.bak`, `reports` and `failed` hold together, of one connection: beyond, the oldest go. */
  readonly keptBytes: number;
  readonly keptFiles: number;
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
  keyExchangeMs: 8_000,
  strangerBytes: 256 * 1024,
  proposalMs: 300,
  dearMs: 30,
  idleMs: 15 * 60_000,
  tries: 6,
  requestsToLogIn: 32,
  failuresFromAddress: 30,
  failuresOfName: 30,
  failureMs: 500,
  mostFailureMs: 8_000,
  wastedFromAddress: 30,
  paceMs: 500,
  asking: 8,
  askingFromAddress: 2,
  rekeys: 10,
  channels: 8,
  channelsInAll: 10_000,
  leastPacketBytes: 1024,
  handles: 128,
  handlesOfLogIn: 512,
  namesOfLogIn: 100_000,
  handlesInAll: 4096,
  namesInAll: 400_000,
  waitingRequests: 64,
  waitingBytes: MIB,
  unsentBytes: 256 * 1024,
  mostUnsentBytes: 4 * MIB,
  stuckMs: 120_000,
  stuckBytesOfLogIn: 8 * MIB,
  stuckBytesInAll: 64 * MIB,
  quotaBytes: 4096 * MIB,
  files: 10_000,
  keptBytes: 8192 * MIB,
  keptFiles: 20_000,
  fileBytes: 1024 * MIB,
  settleMs: 2000,
  retryMs: 2000,
};
