/**
 * How a bridge hands over a file: in parts, like any upload; the seal identifies the file.
 *
 * If the bridge or the hub dies before the file is put away, the bridge sends it again, and the hub recognizes it and
 * does not take it twice.
 */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { keptName } from "../../bridge/places.ts";
import { FILE_SEAL, TAKEN, type Taken } from "../../model/bridge-wire.ts";
import { encodeId } from "../../model/id.ts";
import {
  type BridgeFile,
  type FileIdentity,
  findFileOfDrop,
  findLatestOfName,
  findUnsettledTwin,
  insertBridgeFile,
  isTakenTwice,
  moveTime,
} from "../../store/bridges/bridge-files.ts";
import { extendHanding, type Held, markHanding } from "../../store/bridges/bridge-leases.ts";
import { type Drop, type WithSeal } from "../../store/runs/drops.ts";
import { isOfErased, keyedForms } from "../../store/people/erased-files.ts";
import { reserve } from "../../store/sequences.ts";
import { Fault } from "../../model/errors.ts";
import { asBridge, loadHeld, loadHeldUpload } from "./caller.ts";
import { BYTES, describe, json, NOTHING, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { giveUpUpload, openUpload, seal, sealedAlready, takePart, UPLOAD, viewUpload } from "../api/uploads.ts";
import { jsonBody } from "../kit/validate.ts";
import { DROP_NAME } from "../kit/values.ts";

function viewTaken(file: BridgeFile, repeated: boolean): Taken {
  return {
    file: encodeId("fil", file.id),
    drop: encodeId("drp", file.dropId),
    run: encodeId("run", file.runId),
    repeated,
    kept_as: keptName(file.name, file.takenAt),
  };
}

const open = route(
  describe("openBridgeUpload", "Start the transfer of a file", { 201: json(z.strictObject({ upload: UPLOAD })) }, {
    description: "Like an upload in parts, for a file that the bridge found at a server.",
    faults: ["conflict", "storage_full", "too_many_in_flight", "queue_full"],
  }),
  ...asBridge,
  jsonBody(z.strictObject({ name: DROP_NAME })),
  async (c) => {
    const { connection } = await loadHeld(c);
    const { name } = c.req.valid("json");
    const upload = await openUpload(c, connection, { name, mode: "auto", entity: null, coverage: null });
    const { db, now } = c.get("hub");
    await db.write([extendHanding(db, connection.id, now())]);
    return c.json({ upload: viewUpload(upload) }, 201);
  },
);

const putPart = route(
  describe("putBridgePart", "Upload a part of a file", { 204: NOTHING }, {
    description: "At most 8 MiB. A number sent again replaces that part.",
    body: { required: true, content: { "application/octet-stream": BYTES } },
    faults: [
      "invalid_request",
      "not_found",
      "too_large",
      "conflict",
      "input_incomplete",
      "storage_full",
      "too_many_in_flight",
    ],
  }),
  ...asBridge,
  async (c) => {
    const [upload] = await loadHeldUpload(c);
    await takePart(c, upload, c.req.param("part"));
    return c.body(null, 204);
  },
);

const sealFile = route(
  describe("sealBridgeUpload", "Seal the transfer of a file", { 200: TAKEN }, {
    description: "Declares the file complete, records where it was found and queues its run. A file that " +
      "was taken before is recognized and not imported again.",
    faults: ["not_found", "conflict", "content_erased", "input_incomplete", "storage_full", "queue_full"],
  }),
  ...asBridge,
  jsonBody(FILE_SEAL),
  async (c) => {
    const { db, now } = c.get("hub");
    const [upload, held] = await loadHeldUpload(c);
    const { connection } = held;
    const { folder, name, modified_at: modifiedAt, followed, ...input } = c.req.valid("json");
    if (upload.sha256 !== null) {
      // The answer to an earlier seal was lost.
      await sealedAlready(c, upload, input);
      const file = await findFileOfDrop(db, upload.id);
      if (file === null) throw new Fault("conflict", "The upload was sealed by another request; open a new one");
      return c.json(viewTaken(file, false));
    }
    const identity: FileIdentity = { connectionId: connection.id, folder, name, modifiedAt, ...input };
    const handing = () => markHanding(db, connection.id, followed, now());
    const notTaken = async () => {
      await giveUpUpload(c, upload);
      await db.write([handing()]);
    };
    const before = await findTaken(c, held, identity);
    if (before !== null) {
      await notTaken();
      return c.json(viewTaken(before, true));
    }
    if (await isErased(c, connection.organizationId, identity)) {
      await notTaken();
      throw new Fault(
        "content_erased",
        "The file was taken before and contains a person who has since been erased; export it again without them",
      );
    }
    try {
      await take(c, upload, held, identity, handing);
    } catch (error) {
      const twin = isTakenTwice(error) ? await findUnsettledTwin(db, identity) : null;
      if (twin === null) throw error;
      await notTaken();
      return c.json(viewTaken(twin, true));
    }
    return c.json(viewTaken((await findFileOfDrop(db, upload.id))!, false));
  },
);

const discard = route(
  describe("deleteBridgeUpload", "Discard the transfer of a file", { 204: NOTHING }, {
    description: "Deletes the parts that were sent; the file can be transferred again later.",
    faults: ["not_found", "conflict"],
  }),
  ...asBridge,
  async (c) => {
    const [upload] = await loadHeldUpload(c);
    await giveUpUpload(c, upload);
    // Runs that wait for this file can start.
    const { db, now } = c.get("hub");
    await db.write([markHanding(db, upload.connectionId, false, now())]);
    return c.body(null, 204);
  },
);

export const bridgeUploadRoutes: Hono<Env> = new Hono<Env>()
  .post("/connections/:id/uploads", ...open)
  .put("/uploads/:id/parts/:part", ...putPart)
  .post("/uploads/:id/seal", ...sealFile)
  .delete("/uploads/:id", ...discard);

/** Seals the upload, and stores in the same batch which file it was. */
async function take(
  c: Context<Env>,
  upload: Drop,
  { connection }: Held,
  identity: FileIdentity,
  handing: () => ReturnType<typeof markHanding>,
): Promise<void> {
  const { db, now } = c.get("hub");
  const { organizationId, settings } = connection;
  const id = await reserve(db, "bridge_file");
  // A file that stays in its folder is settled at once.
  const settledAt = settings.after === "leave" ? now() : null;
  const known = { ...identity, id, organizationId, dropId: upload.id, takenAt: now(), settledAt };
  const also = (runId: number): WithSeal => (queued) => [
    ...insertBridgeFile(db, { ...known, runId })(queued),
    handing(),
  ];
  await seal(c, upload, identity, also);
}

async function isErased(c: Context<Env>, organizationId: number, { sha256 }: FileIdentity): Promise<boolean> {
  const { db, secrets } = c.get("hub");
  return await isOfErased(db, organizationId, await keyedForms(secrets, sha256));
}

/** The same file, taken before and not put away; or, for `after: leave`, the same bytes under the same name. */
async function findTaken(c: Context<Env>, held: Held, identity: FileIdentity): Promise<BridgeFile | null> {
  const { db, secrets } = c.get("hub");
  // If a person in the file has been erased since, its digest is stored keyed, and so is its name once it is put away.
  const digests = [identity.sha256, ...await keyedForms(secrets, identity.sha256)];
  for (const sha256 of digests) {
    const twin = await findUnsettledTwin(db, { ...identity, sha256 });
    if (twin !== null) return twin;
  }
  if (held.connection.settings.after !== "leave") return null;
  const names = [identity.name, ...await keyedForms(secrets, identity.name)];
  const latest = await findLatestOfName(db, { ...identity, names });
  if (latest === null || !digests.includes(latest.sha256)) return null;
  await moveTime(db, latest, identity.modifiedAt);
  return latest;
}
