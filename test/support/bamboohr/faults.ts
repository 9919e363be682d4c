/** What goes wrong between the fake and whoever asks it, by script: which request, how often, and how. */
import type { ServerResponse } from "node:http";
import { refuse } from "./answer.ts";

export type Mishap =
  /** A refusal, with `Retry-After` or without. */
  | { readonly kind: "status"; readonly status: number; readonly retryAfter?: string; readonly reason?: string }
  /** The connection ends before anything is said. */
  | { readonly kind: "drop" }
  /** It ends amid the body, behind so many bytes. */
  | { readonly kind: "cut"; readonly bytes: number }
  /** The body ends amid itself, and says that this is all of it. */
  | { readonly kind: "short"; readonly bytes: number }
  /** The body comes a piece at a time, `ms` apart. */
  | { readonly kind: "slow"; readonly ms: number }
  /** Nothing comes at all. */
  | { readonly kind: "hang" }
  /** Elsewhere it is to be found, they say. */
  | { readonly kind: "redirect"; readonly to: string }
  /** 200, and a page that wants somebody to log in. */
  | { readonly kind: "page" }
  /** Done before the answer: somebody changes the data while it is read. */
  | { readonly kind: "then"; readonly work: () => void };

export interface FaultRule {
  /** Only requests whose method and path, such as `POST /reports/custom`, fit. */
  readonly on?: RegExp;
  /** Passes over so many that fit. */
  readonly skip?: number;
  /** How often; once, unless said. */
  readonly times?: number;
  readonly mishap: Mishap;
}

export interface FaultScript {
  add(...rules: readonly FaultRule[]): void;
  clear(): void;
  /** What is to go wrong with this request; null: nothing. */
  next(request: string): Mishap | null;
}

export function createFaultScript(): FaultScript {
  let rules: { rule: FaultRule; skip: number; times: number }[] = [];
  return {
    add(...more) {
      rules.push(...more.map((rule) => ({ rule, skip: rule.skip ?? 0, times: rule.times ?? 1 })));
    },
    clear() {
      rules = [];
    },
    next(request) {
      for (const each of rules) {
        if (each.times === 0 || (each.rule.on !== undefined && !each.rule.on.test(request))) continue;
        if (each.skip > 0) {
          each.skip--;
          continue;
        }
        each.times--;
        return each.rule.mishap;
      }
      return null;
    },
  };
}

/** Does what can be done before an answer. True: there will be none but this. */
export function befall(response: ServerResponse, mishap: Mishap): boolean {
  switch (mishap.kind) {
    case "status":
      refuse(
        response,
        mishap.status,
        mishap.reason ?? (mishap.status === 429 ? "Too many requests" : "Service Unavailable"),
        mishap.retryAfter === undefined ? {} : { "retry-after": mishap.retryAfter },
      );
      return true;
    case "drop":
      response.socket?.destroy();
      return true;
    case "hang":
      return true;
    case "redirect":
      response.writeHead(302, { location: mishap.to }).end();
      return true;
    case "page":
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>Log In</title>");
      return true;
    case "then":
      mishap.work();
      return false;
    default:
      return false;
  }
}

/** Spoils the body that is about to be written. */
export function spoil(response: ServerResponse, mishap: Mishap | null): void {
  if (mishap === null) return;
  const write = response.write.bind(response), end = response.end.bind(response);
  let left = mishap.kind === "cut" || mishap.kind === "short" ? Math.max(1, mishap.bytes) : Infinity;
  if (mishap.kind === "slow") {
    let text = "";
    response.write = ((chunk: string) => (text += chunk, true)) as typeof response.write;
    response.end = ((chunk = "") => {
      text += chunk;
      const size = Math.max(1, Math.ceil(text.length / 8));
      const next = (from: number) => {
        if (response.destroyed) return;
        if (from >= text.length) return void end();
        write(text.slice(from, from + size));
        setTimeout(next, mishap.ms, from + size);
      };
      next(0);
      return response;
    }) as typeof response.end;
    return;
  }
  if (left === Infinity) return;
  const writeHead = response.writeHead.bind(response);
  response.writeHead = ((status: number, headers: Record<string, string> = {}) => {
    // With its length said, a short body would be noticed; this one claims to be whole.
    const { "content-length": _, ...rest } = headers;
    return writeHead(status, mishap.kind === "short" ? rest : headers);
  }) as typeof response.writeHead;
  const take = (chunk: string): boolean => {
    if (left <= 0) return true;
    const part = chunk.slice(0, left);
    left -= part.length;
    const taken = part === "" ? true : write(part);
    if (left > 0) return taken;
    if (mishap.kind === "short") end();
    else setTimeout(() => response.socket?.destroy(), 5);
    return true;
  };
  response.write = ((chunk: string) => take(chunk)) as typeof response.write;
  response.end = ((chunk?: string) => {
    if (chunk !== undefined) take(chunk);
    if (left > 0) end();
    return response;
  }) as typeof response.end;
}
