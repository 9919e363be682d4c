/** Checks a connection's source for an admin: whether it can be read, and what it contains. Writes nothing. */
import type { CheckResult } from "../connector.ts";
import { Fault, type FaultCode } from "../model/errors.ts";
import { connectorOf, type Hub } from "../hub.ts";
import { isObject } from "../std/is-object.ts";
import type { Connection } from "../store/connections/connections.ts";
import { asFault, type OpenSource, openSource, type SourceOptions } from "./source.ts";

export interface Checked extends CheckResult {
  /** Why it cannot be read; null: it can, or the connector itself found the reason. */
  readonly code: FaultCode | null;
}

/** A person waits for the answer. */
const TIMEOUT_MS = 60_000;
const MAX_ATTEMPTS = 2;
const MAX_DETAIL = 1_000, MAX_FOUND = 64 * 1024;

/** Fails with `unprocessable` if the connector has no check. */
export async function checkSource(
  hub: Hub,
  connection: Connection,
  options: Partial<SourceOptions> = {},
): Promise<Checked> {
  const connector = connectorOf(hub, connection);
  if (connector.check === undefined) {
    throw new Fault(
      "unprocessable",
      `The connector "${connector.name}" has nothing to check: its input is sent to the hub`,
    );
  }
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
  let source: OpenSource | null = null;
  try {
    source = await openSource(hub, connection, { maxAttempts: MAX_ATTEMPTS, ...options, signal });
    return readResult(await connector.check(source.context), connector.title, source.redact);
  } catch (error) {
    if (timeout.aborted) return failed("source_unreachable", `The source did not answer within ${TIMEOUT_MS / 1000} s`);
    const { code, message } = asFault(error, source);
    return failed(code, message);
  }
}

function failed(code: FaultCode, detail: string): Checked {
  return { ok: false, detail, found: {}, code };
}

/** What the connector gave may be anything. In the words of those that run in a process of their own (sandbox/faults.ts). */
function readResult(result: unknown, title: string, clean: (text: string) => string): Checked {
  const none = () => failed("connector_failed", `The connector "${title}" gave no result of its check`);
  if (!isObject(result)) return none();
  const { ok, detail, found } = result;
  if (!isObject(found ?? {}) || typeof ok !== "boolean" || typeof detail !== "string") return none();
  let text: string;
  try {
    text = JSON.stringify(found ?? {}, (_, value) => typeof value === "string" ? clean(value) : value);
  } catch {
    return none();
  }
  if (text.length > MAX_FOUND) {
    return failed("source_unreadable", "What the connector found is more than an answer may hold");
  }
  return { ok, detail: clean(detail).slice(0, MAX_DETAIL), found: JSON.parse(text), code: null };
}
