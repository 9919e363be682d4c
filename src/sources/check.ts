/** Checks a connection's source for an admin: whether it can be read, and what it contains. Writes nothing. */
import type { CheckResult } from "../connector.ts";
import { Fault, type FaultCode } from "../model/errors.ts";
import { connectorOf, type Hub } from "../hub.ts";
import type { Connection } from "../store/connections/connections.ts";
import { isObject } from "../std/is-object.ts";
import { asFault, type OpenSource, openSource, type SourceOptions } from "./source.ts";

export interface Checked extends CheckResult {
  /** Why it cannot be read; null: it can, or the connector itself found the reason. */
  readonly code: FaultCode | null;
}

/** A person waits for the answer. */
const TIMEOUT_MS = 60_000;
const MAX_ATTEMPTS = 2;
const MAX_DETAIL = 1_000, MAX_FOUND = 64 * 1024;
const NO_RESULT = "The connector has an error of its own: its check gives no result";

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
    return readResult(await connector.check(source.context), source.redact);
  } catch (error) {
    if (timeout.aborted) return failed("source_unreachable", `The source did not answer within ${TIMEOUT_MS / 1000} s`);
    const { code, message } = asFault(error, source);
    return failed(code, message);
  }
}

function failed(code: FaultCode, detail: string): Checked {
  return { ok: false, detail, found: {}, code };
}

function readResult(result: CheckResult, clean: (text: string) => string): Checked {
  if (typeof result !== "object" || result === null) return failed("connector_failed", NO_RESULT);
  const { ok, detail, found } = result;
  let text: string;
  try {
    text = JSON.stringify(found ?? {}, (_, value) => typeof value === "string" ? clean(value) : value);
  } catch {
    return failed("connector_failed", NO_RESULT);
  }
  if (text.length > MAX_FOUND) {
    return failed("source_unreadable", "What the connector found is more than an answer may hold");
  }
  if (!isObject(found ?? {})) return failed("connector_failed", NO_RESULT);
  const words = typeof detail === "string" ? clean(detail).slice(0, MAX_DETAIL) : "";
  return { ok: ok === true, detail: words, found: JSON.parse(text), code: null };
}
