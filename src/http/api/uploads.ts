/** Uploads: a drop that is sent in parts, for large files and unreliable networks. Sealing it starts its run. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { findCharset, withCharset } from "../../model/charset.ts";
import { Fault } from "../../model/errors.ts";
import { prepareRun, retainedUntil } from "../../runs/receive-drop.ts";
import { encodeId } from "../../model/id.ts";
import { MAX_OPEN_UPLOADS_A_CONNECTION } from "../../model/limits.ts";
import { logRun } from "../../runs/log.ts";
import { type Connection, findConnectionById } from "../../store/connections/connections.ts";
import { tooLarge } from "../../store/runs/cut-body.ts";
import { digestContent, MAX_DROP_BYTES } from "../../store/runs/drop-content.ts";
import { listParts, MAX_PART_BYTES, MAX_PARTS, writePart } from "../../store/runs/drop-parts.ts";
import {
  closeDrop,
  countOpenDrops,
  createDrop,
  deleteUnsealedDrop,
  type Drop,
  type DropInput,
  findDrop,
  reopenDrop,
  sealDrop,
  type WithSeal,
} from "../../store/runs/drops.ts";
import { findRunOfDrop, requireRoomInQueue } from "../../store/runs/runs.ts";
import { toInstant } from "../../std/time.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { loadConnection } from "./connections.ts";
import { BYTES, describe, json, NOTHING, PREFER, route, started } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { answerRun, bodyOf, requireTakesDrops } from "./drop-answer.ts";
import { counted } from "../kit/in-flight.ts";
import { DROP_TAKEN, idOf, INSTANT } from "../kit/shapes.ts";
import { jsonBody } from "../kit/validate.ts";
import { COVERAGE } from "../../model/policy.ts";
import { BY_HAND, CHARSET, DROP_NAME, ENTITY, MODE } from "../kit/values.ts";
import { byId, loader } from "../kit/load.ts";

const NEW = z.strictObject({
  name: DROP_NAME,
  mode: MODE.default("auto"),
  entity: ENTITY.optional(),
  coverage: COVERAGE.optional(),
  by_hand: BY_HAND,
  charset: CHARSET.optional(),
});

/** What the sender declares about the whole content. Each value that is given must match. */
export const SEAL = z.strictObject({
  bytes: z.int().min(0).optional(),
  sha256: z.string().regex(/^[0-9a-fA-F]{64}$/, "should be 64 hex digits").optional(),
  rows: z.int().min(0).optional(),
});

export const UPLOAD = z.strictObject({
  id: idOf("upl"),
  connection_id: idOf("con"),
  name: z.string().meta({ examples: ["users.csv"] }),
  max_part_bytes: z.int().meta({ examples: [8388608] }),
  created_at: INSTANT,
  expires_at: INSTANT,
}).meta({ id: "Upload" });

export function viewUpload(drop: Drop): z.infer<typeof UPLOAD> {
  return {
    id: encodeId("upl", drop.id),
    connection_id: encodeId("con", drop.connectionId),
    name: drop.name,
    max_part_bytes: MAX_PART_BYTES,
    created_at: toInstant(drop.createdAt),
    expires_at: toInstant(drop.expiresAt),
  };
}

const loadUpload = loader("upload", byId("upl", findDrop));

const open = route(
  describe("openUpload", "Start an upload in parts", { 201: json(z.strictObject({ upload: UPLOAD })) }, {
    description: "For large files or unreliable lines: open, send the parts, seal. An upload that is not " +
      "sealed expires after 24 hours; a connection has at most 20.",
    faults: ["conflict", "unprocessable", "storage_full", "too_many_in_flight", "queue_full"],
  }),
  requires("drops:write"),
  jsonBody(NEW),
  async (c) => {
    const { name, mode, entity, coverage, by_hand: byHand, charset } = c.req.valid("json");
    const connection = await loadConnection(c);
    requireTakesDrops(c, connection);
    if (await countOpenDrops(c.get("hub").db, connection.id, c.get("hub").now()) >= MAX_OPEN_UPLOADS_A_CONNECTION) {
      throw new Fault(
        "conflict",
        `The connection "${connection.slug}" has ${MAX_OPEN_UPLOADS_A_CONNECTION} unsealed uploads; seal or delete one of them first`,
      );
    }
    const asked = { name, mode, entity: entity ?? null, coverage: coverage ?? null, byHand };
    const upload = await openUpload(c, connection, asked, charset === undefined ? null : findCharset(charset));
    return c.json({ upload: viewUpload(upload) }, 201);
  },
);

const putPart = route(
  describe("putPart", "Upload a part", { 204: NOTHING }, {
    description: "At most 8 MiB. A number sent again replaces that part.",
    body: { required: true, content: { "application/octet-stream": BYTES } },
    faults: ["invalid_request", "too_large", "conflict", "input_incomplete", "storage_full", "too_many_in_flight"],
  }),
  requires("drops:write"),
  async (c) => {
    await takePart(c, await loadUpload(c), c.req.param("part"));
    return c.body(null, 204);
  },
);

const sealAndRun = route(
  describe("sealUpload", "Seal an upload", {
    200: started(DROP_TAKEN, "The run has ended, or waits for a decision"),
    202: started(DROP_TAKEN, "The run has been queued"),
  }, {
    description: "Declares the upload complete and queues its run. Bytes, digest or rows that are given " +
      "must match. Sealing again gives the same run.",
    headers: [PREFER],
    faults: ["conflict", "input_incomplete", "storage_full", "queue_full"],
  }),
  requires("drops:write"),
  jsonBody(SEAL),
  async (c) => {
    const asked = c.req.valid("json");
    const upload = await loadUpload(c);
    // The answer to an earlier request may have been lost: the same seal again gives the same run.
    const runId = upload.sha256 === null ? await seal(c, upload, asked) : await sealedAlready(c, upload, asked);
    return await answerRun(c, upload.id, runId);
  },
);

const discard = route(
  describe("deleteUpload", "Discard an upload", { 204: NOTHING }, {
    description: "Deletes the parts of an upload that is not sealed.",
    faults: ["conflict"],
  }),
  requires("drops:write"),
  async (c) => {
    await giveUpUpload(c, await loadUpload(c));
    return c.body(null, 204);
  },
);

export const uploadRoutes: Hono<Env> = new Hono<Env>()
  .post("/connections/:id/uploads", ...open)
  .put("/uploads/:id/parts/:part", ...putPart)
  .post("/uploads/:id/seal", ...sealAndRun)
  .delete("/uploads/:id", ...discard);

/** Creates a drop of the request's organization, to which parts can be added. `charset`: the encoding that it declares. */
export async function openUpload(
  c: Context<Env>,
  connection: Connection,
  asked: Omit<DropInput, "contentType">,
  charset: string | null = null,
): Promise<Drop> {
  const { db, now } = c.get("hub");
  const { organizationId } = connection;
  const input = { ...asked, contentType: withCharset("application/octet-stream", charset) };
  await requireRoomInQueue(db, organizationId);
  const id = await createDrop(db, organizationId, connection.id, input, now(), byOf(c));
  return (await findDrop(db, organizationId, id))!;
}

/** Stores the request's body as the part of that number. Replaces an earlier part of the same number. */
export async function takePart(c: Context<Env>, upload: Drop, number: string): Promise<void> {
  const { db, packing, now } = c.get("hub");
  const part = /^[1-9]\d{0,5}$/.test(number) ? Number(number) : 0;
  if (part < 1 || part > MAX_PARTS) {
    throw new Fault("invalid_request", `The part is "${number}"; it should be a number from 1 to ${MAX_PARTS}`);
  }
  requireOpen(upload);
  if ((await listParts(db, upload.id)).bytes > MAX_DROP_BYTES) throw tooLarge("a drop", MAX_DROP_BYTES);
  const stored = await counted(
    c,
    "bodies",
    () => writePart(db, upload.id, part, bodyOf(c, MAX_PART_BYTES, "a part"), packing, { by: byOf(c), now: now() }),
  );
  if (!stored) requireOpen(null);
}

export async function giveUpUpload(c: Context<Env>, upload: Drop): Promise<void> {
  const { db, now } = c.get("hub");
  const deleted = await deleteUnsealedDrop(db, upload.organizationId, upload.id, { by: byOf(c), now: now() });
  if (!deleted) requireOpen(null);
}

/** Seals the upload and queues its run; gives the run's number. `also` gives what is stored in the same batch. */
export async function seal(
  c: Context<Env>,
  upload: Drop,
  asked: z.infer<typeof SEAL>,
  also?: (runId: number) => WithSeal,
): Promise<number> {
  const { db, now, wake } = c.get("hub");
  const organizationId = c.get("organization").id;
  const connection = await findConnectionById(db, organizationId, upload.connectionId);
  if (connection === null) throw new Fault("conflict", "The upload's connection has been deleted");
  const stamp = await closeDrop(db, organizationId, upload.id, now());
  if (stamp === null) throw sealedMeanwhile();
  try {
    const { parts } = await listParts(db, upload.id);
    const gap = parts.findIndex((part, index) => part !== index + 1);
    if (gap >= 0) throw new Fault("input_incomplete", `Part ${gap + 1} is missing, but part ${parts[gap]} exists`);
    const content = await digestContent(db, upload.id, c.get("hub").packing);
    if (content.bytes > MAX_DROP_BYTES) throw tooLarge("a drop", MAX_DROP_BYTES);
    requireSame(content, asked);
    const run = await prepareRun(c.get("hub"), connection, upload.id, upload);
    const sealed = await sealDrop(
      db,
      organizationId,
      upload.id,
      { ...content, rows: asked.rows ?? null },
      run,
      { now: now(), expiresAt: retainedUntil(c.get("hub")), stamp },
      byOf(c),
      also?.(run.id),
    );
    if (!sealed) throw sealedMeanwhile();
    logRun(c.get("hub"), run, "run.queued", { trigger: run.trigger, mode: run.mode, bytes: content.bytes });
    wake();
    return run.id;
  } catch (error) {
    await reopenDrop(db, organizationId, upload.id, stamp);
    throw error;
  }
}

/** The run of an upload that was sealed before, if it was sealed with the same values. */
export async function sealedAlready(c: Context<Env>, upload: Drop, asked: z.infer<typeof SEAL>): Promise<number> {
  requireSame({ bytes: upload.bytes, sha256: upload.sha256! }, asked);
  const found = await findRunOfDrop(c.get("hub").db, c.get("organization").id, upload.id);
  if (found === null) throw sealedMeanwhile();
  return found.run.id;
}

function requireSame(content: { bytes: number; sha256: string }, asked: z.infer<typeof SEAL>): void {
  if (asked.bytes !== undefined && asked.bytes !== content.bytes) {
    throw new Fault(
      "input_incomplete",
      `The parts have ${content.bytes} bytes in total, but the seal says ${asked.bytes}`,
    );
  }
  if (asked.sha256 !== undefined && asked.sha256.toLowerCase() !== content.sha256) {
    throw new Fault(
      "input_incomplete",
      `The parts have the SHA-256 ${content.sha256}, but the seal says ${asked.sha256}`,
    );
  }
}

function requireOpen(upload: Drop | null): void {
  if (upload === null || upload.sealedAt !== null || upload.sha256 !== null) throw sealedMeanwhile();
}

function sealedMeanwhile(): Fault {
  return new Fault("conflict", "The upload is sealed; open a new one");
}
