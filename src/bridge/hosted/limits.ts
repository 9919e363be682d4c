/**
 * How much of everything the hosted server grants to its clients. Times in milliseconds, sizes in bytes. "Per network"
 * counts clients by their network address. Tests set smaller values.
 */
import { MAX_FILE_BYTES } from "../../model/limits.ts";

const MIB = 1024 * 1024;

export const HOSTED_LIMITS = {
  /** Connections at once, and how many of them may be strangers: not logged in yet. */
  connections: 500,
  strangers: 100,
  /** Strangers per network, so that no client alone keeps the others out. */
  strangersFromAddress: 20,
  /** Connections at once per network, and per log-in. */
  fromAddress: 100,
  ofLogIn: 20,
  /** From the connection to the log-in. */
  handshakeMs: 30_000,
  /** From the server's first line to the end of the key exchange. */
  keyExchangeMs: 8_000,
  /** What a client may send before the log-in. */
  strangerBytes: 256 * 1024,
  /** From the client's first line to its list of algorithms. Later, it is offered what all clients are offered. */
  proposalMs: 300,
  /**
   * How long it may take to process what a client sends at once; a piece of a file takes a millisecond. Beyond that, no
   * client of the same log-in (before the log-in: of the same network) is read from for as long.
   */
  dearMs: 30,
  /** Without a request. */
  idleMs: 15 * 60_000,
  /** Failed log-ins per connection. */
  tries: 6,
  /** Authentication requests of any kind per connection. A client asks about each of its keys before it signs. */
  requestsToLogIn: 32,
  /**
   * Failed log-ins per minute. Per network: beyond, its passwords are not checked, except for users who have logged in from
   * there before. Per user name: beyond, answers come late, and right passwords are still accepted.
   */
  failuresFromAddress: 30,
  failuresOfName: 30,
  /** The time until a failed log-in is answered: doubled with each failure on the same connection, up to the most. */
  failureMs: 500,
  mostFailureMs: 8_000,
  /** Connections per network and minute that end without a log-in. Beyond, one is greeted every `paceMs`. */
  wastedFromAddress: 30,
  paceMs: 500,
  /** Log-ins that the hub checks at once, in all and per network. */
  asking: 8,
  askingFromAddress: 2,
  /** Key exchanges per minute, beside one for every 16 KiB transferred. */
  rekeys: 10,
  /** Channels of one connection, at once and one after another. */
  channels: 8,
  channelsInAll: 10_000,
  /** The least packet size that a client has to accept: each packet costs some thirty bytes and a cipher. */
  leastPacketBytes: 1024,
  /** Open files and folders per channel and per log-in, and names in the folders that a log-in has open. */
  handles: 128,
  handlesOfLogIn: 512,
  namesOfLogIn: 100_000,
  /** The same for all clients: the process may open only so many files, and names take memory. */
  handlesInAll: 4096,
  namesInAll: 400_000,
  /** Requests of one channel that are not answered yet, and their bytes. Beyond, the client is not read from for a while. */
  waitingRequests: 64,
  waitingBytes: MIB,
  /** What the client has not taken of what it was sent. Beyond, it is not read from, and not answered. */
  unsentBytes: 256 * 1024,
  /** Beyond, the client is disconnected. Only requests that were read before can take it this far. */
  mostUnsentBytes: 4 * MIB,
  /** How long a client may take nothing, or make no room for answers, before it is disconnected. */
  stuckMs: 120_000,
  /** What waits until clients make room for answers, per log-in and in all. Beyond, a client that adds to it is disconnected. */
  stuckBytesOfLogIn: 8 * MIB,
  stuckBytesInAll: 64 * MIB,
  /** Files of one connection that wait to be taken: their bytes, and their number. */
  quotaBytes: 4096 * MIB,
  files: 10_000,
  /** What `.bak`, `reports` and `failed` of one connection hold together. Beyond, the oldest files are removed. */
  keptBytes: 8192 * MIB,
  keptFiles: 20_000,
  /** The size of a file: the most that a drop may have. */
  fileBytes: MAX_FILE_BYTES,
  /** How long a closed file is left where it is: many clients look at it once more, or set its time. */
  settleMs: 2000,
  /** The pause after a file could not be handed over: doubled with each failure, up to a minute. */
  retryMs: 2000,
};

export type HostedLimits = Readonly<Record<keyof typeof HOSTED_LIMITS, number>>;
