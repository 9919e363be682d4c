/** What all requests that upload a drop have in common: which connections take drops, the body, and the answer. */
import { connectorFor, missingConnector } from "../../hub.ts";
import type { Context } from "hono";
import type { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { encodeId } from "../../model/id.ts";
import type { Connection } from "../../store/connections/connections.ts";
import { type Bytes, tooLarge } from "../../store/runs/cut-body.ts";
import { MAX_DROP_BYTES } from "../../store/runs/drop-content.ts";
import { type Drop, findDrop } from "../../store/runs/drops.ts";
import { toInstant, toInstantOrNull } from "../../std/time.ts";
import { incoming } from "../kit/body.ts";
import type { Env } from "../kit/env.ts";
import type { DROP, DROP_TAKEN } from "../kit/shapes.ts";
import { waitForNew } from "../kit/prefer.ts";

/** Fails when the connection's connector fetches its input. */
export function requireTakesDrops(c: Context<Env>, connection: Connection): void {
  const connector = connectorFor(c.get("hub").registry, connection);
  if (connector?.input === "drop") return;
  throw new Fault(
    "unprocessable",
    connector === undefined
      ? missingConnector(connection)
      : `The connection "${connection.slug}" fetches its source and takes no uploads`,
  );
}

/** The request's body as a stream. Refused at once when its `Content-Length` is too large. */
export function bodyOf(c: Context<Env>, maxBytes = MAX_DROP_BYTES, what = "a drop"): Bytes {
  if (Number(c.req.header("content-length") ?? 0) > maxBytes) throw tooLarge(what, maxBytes);
  return incoming(c) ?? new Blob([]).stream() as Bytes;
}

/** Answers with the drop and its run, after waiting for it as the request prefers. */
export async function answerRun(c: Context<Env>, dropId: number, runId: number): Promise<Response> {
  // Loaded before the wait, as the erasure of a person may delete the drop during it.
  const drop = await findDrop(c.get("hub").db, c.get("organization").id, dropId);
  const { run, status } = await waitForNew(c, runId);
  return c.json({ run, drop: viewDrop(drop!) } satisfies z.infer<typeof DROP_TAKEN>, status);
}

export function viewDrop(drop: Drop): z.infer<typeof DROP> {
  return {
    id: encodeId("drp", drop.id),
    connection_id: encodeId("con", drop.connectionId),
    name: drop.name,
    content_type: drop.contentType,
    by_hand: drop.byHand,
    bytes: drop.bytes,
    sha256: drop.sha256,
    created_at: toInstant(drop.createdAt),
    sealed_at: toInstantOrNull(drop.sealedAt),
    expires_at: toInstant(drop.expiresAt),
  };
}
