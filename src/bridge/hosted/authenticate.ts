/** A client's tries to log in: the hub checks passwords and signatures, a few at a time; refusals come ever more slowly. */
import { Buffer } from "node:buffer";
import type { AuthContext, Connection, PublicKeyAuthContext } from "ssh2";
import { createLane } from "../../std/lanes.ts";
import { networkOf } from "../../security/rates.ts";
import type { LetIn, LogIn, LogInAttempt } from "../contract.ts";
import { ssh2 } from "../ssh2.ts";
import type { Hosting } from "./hosting.ts";
import { sleep } from "../../std/sleep.ts";

const KEY_TYPES = new Set([
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "ssh-rsa",
]);
const MOST_NAME = 128;
const MOST_PASSWORD = 1024;
/** The hub takes RSA keys of at most 16,384 bits. A larger exponent is not in use, and would take long to compute with. */
const MOST_KEY = 2200, MOST_EXPONENT = 8;

/** A client that is not logged in yet. */
export interface Candidate {
  readonly address: string;
  /** Counts a failed try. Returns how many there were before. */
  readonly countFailure: () => number;
  readonly isGone: () => boolean;
  /** False: it is not let in after all. */
  readonly letIn: (found: LetIn, context: AuthContext) => Promise<boolean>;
}

/** Returns the handler of a client's requests to log in. */
export type Authenticate = (ssh: Connection, candidate: Candidate) => (context: AuthContext) => Promise<void>;

export function createAuthenticate({ guard, limits, log }: Hosting, logIn: LogIn): Authenticate {
  const asking = createLane(limits.asking, limits.askingFromAddress);

  async function ask(attempt: LogInAttempt, isGone: () => boolean): Promise<LetIn | null> {
    const leave = await asking.take(networkOf(attempt.address));
    try {
      return isGone() ? null : await logIn(attempt);
    } finally {
      leave();
    }
  }

  return (ssh, candidate) => {
    let requests = 0;
    return async (context) => {
      const { address, isGone } = candidate;
      const refuse = () => context.reject(["publickey", "password"]);
      if (++requests > limits.requestsToLogIn) return void ssh.end();
      const proof = proofOf(context);
      if (proof === "none") return refuse();
      // Every key of a supported kind is asked to sign, so that clients cannot find out which keys are known.
      if (proof === "may_sign") return context.accept();
      const startedAt = performance.now();
      const { username } = context;
      let found: LetIn | null = null;
      try {
        const mayTry = proof !== null && ("publicKey" in proof || guard.mayTry(username, address));
        if (mayTry && username.length <= MOST_NAME) found = await ask({ username, address, ...proof! }, isGone);
      } catch (error) {
        log("sftp.hub_not_asked", { error: error instanceof Error ? error.name : "unknown" });
        return void ssh.end();
      }
      if (isGone()) return;
      if (found !== null && await candidate.letIn(found, context)) return guard.succeeded(username, address);
      if (isGone()) return;
      const { answerInMs, isLast } = guard.failed(username, address, candidate.countFailure());
      // Counted from the request, so that the time of an answer does not show whether there is such a user.
      await sleep(Math.max(0, startedAt + answerInMs - performance.now()));
      if (isGone()) return;
      refuse();
      if (isLast) ssh.end();
    };
  };
}

/** What the hub is asked to check. `none`: the client offered nothing; null: it cannot be right. */
function proofOf(context: AuthContext): { password: string } | { publicKey: string } | "none" | "may_sign" | null {
  if (context.method === "password") {
    return context.password.length <= MOST_PASSWORD ? { password: context.password } : null;
  }
  if (context.method !== "publickey") return "none";
  const { key, signature, blob, hashAlgo } = context as PublicKeyAuthContext;
  // RSA signatures have to use SHA-2.
  if (!KEY_TYPES.has(key.algo) || (key.algo === "ssh-rsa" && hashAlgo === undefined)) return null;
  if (key.data.length > MOST_KEY || (key.algo === "ssh-rsa" && exponentBytes(key.data) > MOST_EXPONENT)) return null;
  const parsed = ssh2.utils.parseKey(Buffer.from(key.data));
  if (parsed instanceof Error || parsed.type !== key.algo) return null;
  if (signature === undefined || blob === undefined) return "may_sign";
  // The library returns an error, or false, for an invalid signature.
  const isSigned = parsed.verify(blob, signature, hashAlgo) as boolean | Error;
  return isSigned === true ? { publicKey: `${parsed.type} ${parsed.getPublicSSH().toString("base64")}` } : null;
}

/** The length of the exponent, which comes first in an RSA key (RFC 4253). Infinity: the key is invalid. */
function exponentBytes(key: Buffer): number {
  const at = 4 + "ssh-rsa".length;
  return key.length < at + 4 ? Infinity : key.readUInt32BE(at);
}
