/** Why a request got no answer, from the error of `fetch`: Node has codes for it, and Deno says it in its message. */
import { causesOf, codeOf } from "../std/causes.ts";

/** Whether a time limit ended the request. */
export function tookTooLong(error: unknown): boolean {
  return causesOf(error).some(({ name }) => name === "TimeoutError" || name === "AbortError");
}

/** Why no connection was made, to follow "as"; null: the request may have been sent. */
export function whyUnreachable(error: unknown): string | null {
  const words = causesOf(error).flatMap((cause) => [codeOf(cause) ?? "", cause.message]).join(" ");
  if (!BEFORE_SENDING.test(words)) return null;
  return REASONS.find(([pattern]) => pattern.test(words))?.[1] ?? "there is no way to it";
}

const BEFORE_SENDING =
  /\(Connect\)|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT|SSL|TLS/;
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/ENOTFOUND|EAI_AGAIN|dns error/i, "its name has no address"],
  [/ECONNREFUSED|connection refused/i, "nothing listens there"],
  [/certificate|CERT|SSL|TLS/i, "its certificate is not accepted"],
];
