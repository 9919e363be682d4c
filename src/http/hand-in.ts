/** Handing in: a body becomes a sealed drop with its queued run, or nothing at all. */
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { Fault } from "../errors.ts";
import { encodeId } from "../id.ts";
import type { Connection } from "../store/connections.ts";
import { type Bytes, MAX_DROP_BYTES, tooLarge, writeContent } from "../store/drop-content.ts";
import { createDrop, deleteUnsealedDrop, type Drop, type DropInput, findDrop, sealDrop } from "../store/drops.ts";
import type { NewRun } from "../store/runs.ts";
import { reserve } from "../store/sequences.ts";
import { toInstant, toInstantOrNull } from "../time.ts";
import type { Env } from "./env.ts";
import { waitAsPreferred } from "./prefer.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Fails when the connection's connector fetches for itself. */
export function requireTakesDrops(c: Context<Env>, connection: Connection): void {
  const connector = c.get("hub").registry.get(connection.connector);
  if (connector?.takesDrops) return;
  throw new Fault(
    "unprocessable",
    connector === undefined
      ? `The connector "${connection.connector}" of this connection is not part of this hub`
      : `The connection "${connection.slug}" fetches for itself; drops are for connections that are handed their input`,
  );
}

/** Streams the body into a new drop, seals it and queues its run; gives both ids. */
export async function handIn(
  c: Context<Env>,
  connection: Connection,
  input: DropInput,
  body: Bytes,
): Promise<{ dropId: number; runId: number }> {
  const { db, now } = c.get("hub");
  const organizationId = c.get("organization").id;
  const dropId = await createDrop(db, organizationId, connection.id, input, now());
  try {
    const content = await writeContent(db, dropId, body);
    const run = await runOf(c, connection, dropId, input);
    await sealDrop(db, organizationId, dropId, { ...content, rows: null }, run, {
      now: now(),
      expiresAt: retainedUntil(c),
      stamp: null,
    });
    c.get("hub").wake();
    return { dropId, runId: run.id };
  } catch (error) {
    await deleteUnsealedDrop(db, organizationId, dropId);
    throw error;
  }
}

/** A request's body as a stream, refused early when it says that it is too large. */
export function bodyOf(c: Context<Env>, maxBytes = MAX_DROP_BYTES, what = "a drop"): Bytes {
  if (Number(c.req.header("content-length") ?? 0) > maxBytes) throw tooLarge(what, maxBytes);
  return c.req.raw.body as Bytes | null ?? new Blob([]).stream() as Bytes;
}

/** The run that sealing the drop queues. What nobody said is settled when the input is read. */
export async function runOf(
  c: Context<Env>,
  connection: Connection,
  dropId: number,
  said: Pick<DropInput, "mode" | "entity" | "coverage">,
): Promise<NewRun> {
  const connector = c.get("hub").registry.get(connection.connector);
  return {
    id: await reserve(c.get("hub").db, "run"),
    organizationId: connection.organizationId,
    connectionId: connection.id,
    dropId,
    trigger: "drop",
    mode: said.mode,
    entity: said.entity ?? "users",
    coverage: said.coverage ?? connection.policy.coverage ?? connector?.coverage ?? "full",
  };
}

/** Until when the content of a drop that is sealed now is kept. */
export function retainedUntil(c: Context<Env>): number {
  const { now, retainDays } = c.get("hub");
  return now() + retainDays * DAY_MS;
}

/** Answers with the drop and its run, after waiting for it as the request prefers. */
export async function answerRun(c: Context<Env>, dropId: number, runId: number): Promise<Response> {
  const { run, status } = await waitAsPreferred(c, runId);
  const drop = await findDrop(c.get("hub").db, c.get("organization").id, dropId);
  c.header("location", `/v1/runs/${run.id}`);
  return c.json({ run, drop: viewDrop(drop!) }, status as ContentfulStatusCode);
}

export function viewDrop(drop: Drop) {
  return {
    id: encodeId("drp", drop.id),
    connection_id: encodeId("con", drop.connectionId),
    name: drop.name,
    content_type: drop.contentType,
    bytes: drop.bytes,
    sha256: drop.sha256,
    created_at: toInstant(drop.createdAt),
    sealed_at: toInstantOrNull(drop.sealedAt),
    expires_at: toInstant(drop.expiresAt),
  };
}
