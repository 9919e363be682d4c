/**
 * How a bridge hands a file over, and brings back what became of it.
 *
 * In parts, like any upload; the seal says which file it was. A file that was taken and not put away, because the bridge
 * or the hub died in between, is known when it comes again, and is not taken twice.
 */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { keptName } from "../../bridge/places.ts";
import { encodeId } from "../../model/id.ts";
import { reportToSend } from "../../report/file.ts";
import {
  type BridgeFile,
  type FileIdentity,
  findFileOfDrop,
  findLatestOfName,
  findUnsettledTwin,
  insertBridgeFile,
  isTakenTwice,
  markReturned,
  moveTime,
  settleFile,
} from "../../store/bridges/bridge-files.ts";
import { extendHanding, type Held, markHanding } from "../../store/bridges/bridge-leases.ts";
import { hasContent, openDrop } from "../../store/runs/drop-content.ts";
import { findDrop } from "../../store/runs/drops.ts";
import { isKeyed, isOfErased, keyedForms } from "../../store/people/erased-files.ts";
import { findRun } from "../../store/runs/runs.ts";
import { reserve } from "../../store/sequences.ts";
import { Fault } from "../../model/errors.ts";
import { byOf } from "../kit/authorize.ts";
import { asBridge, loadHeld, loadHeldFile, loadHeldUpload } from "./caller.ts";
import { BYTES, CSV, describe, json, NOTHING } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { route } from "../kit/route.ts";
import { idOf } from "../kit/shapes.ts";
import { giveUpUpload, openUpload, seal, sealedAlready, takePart, UPLOAD, viewUpload } from "../api/uploads.ts";
import { jsonBody, query } from "../kit/validate.ts";
import { DROP_NAME, NO_FIELDS } from "../kit/values.ts";

const FOLDER = z.string().min(1).max(500);
const FILE_NAME = z.string().min(1).max(1000);
const MS = z.int().min(0);
const SEAL = z.strictObject({
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "should be 64 hex digits"),
  folder: FOLDER,
  /** As the server spells it, whatever the drop is called. */
  name: FILE_NAME,
  /** As it was found: milliseconds since 1970. */
  modified_at: MS,
  /** Another file that waited with it is handed over next. */
  followed: z.boolean().default(false),
}).meta({
  examples: [{ bytes: 6, sha256: "0".repeat(64), folder: "/incoming", name: "users.csv", modified_at: 1772438400000 }],
});
const TAKEN = z.strictObject({
  file: idOf("fil"),
  drop: idOf("drp"),
  run: idOf("run"),
  repeated: z.boolean().meta({ description: "True: the file was taken before, and no run was queued" }),
  kept_as: z.string().meta({ examples: ["20260302T080000Z-users.csv"] }),
}).meta({ id: "TakenFile" });
const NUMBER_TEXT = z.string().regex(/^\d{1,15}$/, "should be a whole number").transform(Number);
const FOUND = z.strictObject({
  folder: FOLDER.meta({ description: "Folder in which the file was found" }),
  name: FILE_NAME.meta({ description: "Its name as the server spells it" }),
  bytes: NUMBER_TEXT.meta({ description: "Its size in bytes" }),
  modified_at: NUMBER_TEXT.meta({ description: "Its time, in milliseconds since 1970" }),
});
const WAS_TAKEN = z.strictObject({ taken: z.boolean() });

function viewTaken(file: BridgeFile, repeated: boolean): z.infer<typeof TAKEN> {
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
    const { connection } = await loadHeld(c, c.req.param("id"));
    const { name } = c.req.valid("json");
    const upload = await openUpload(c, connection, { name, mode: "auto", entity: null, coverage: null });
    const { db, now } = c.get("hub");
    await db.write([extendHanding(db, connection.id, now())]);
    return c.json({ upload: viewUpload(upload) }, 201);
  },
);

const putPart = route(
  describe("putBridgePart", "Upload a part of a file", { 204: NOTHING }, {
    description: "At most 8 MiB. Sending a number again replaces that part, so a failed request can be " +
      "repeated.",
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
    const { upload } = await loadHeldUpload(c, c.req.param("id"));
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
  jsonBody(SEAL),
  async (c) => {
    const { db, now } = c.get("hub");
    const { upload, held } = await loadHeldUpload(c, c.req.param("id"));
    const { folder, name, modified_at: modifiedAt, followed, ...input } = c.req.valid("json");
    const handing = () => markHanding(db, held.connection.id, followed, now());
    if (upload.sha256 !== null) {
      // The answer was lost on its way.
      await sealedAlready(c, upload, input);
      const file = await findFileOfDrop(db, upload.id);
      if (file === null) throw new Fault("conflict", "The upload was sealed by another request; open a new one");
      return c.json(viewTaken(file, false));
    }
    const identity: FileIdentity = {
      connectionId: held.connection.id,
      folder,
      name,
      modifiedAt,
      ...input,
    };
    const before = await findTaken(c, held, identity);
    if (before !== null) {
      await giveUpUpload(c, upload);
      await db.write([handing()]);
      return c.json(viewTaken(before, true));
    }
    const { organizationId } = held.connection;
    if (await isOfErased(db, organizationId, await keyedForms(c.get("hub").secrets, identity.sha256))) {
      await giveUpUpload(c, upload);
      await db.write([handing()]);
      throw new Fault(
        "content_erased",
        "The file was taken before and contains a person who has since been erased; export it again " +
          "without them",
      );
    }
    const id = await reserve(db, "bridge_file");
    try {
      // What is left where it is needs no putting away.
      const settledAt = held.connection.settings.after === "leave" ? now() : null;
      const known = { ...identity, id, organizationId, dropId: upload.id, takenAt: now(), settledAt };
      await seal(
        c,
        upload,
        input,
        (runId) => (queued) => [...insertBridgeFile(db, { ...known, runId })(queued), handing()],
      );
    } catch (error) {
      const twin = isTakenTwice(error) ? await findUnsettledTwin(db, identity) : null;
      if (twin === null) throw error;
      await giveUpUpload(c, upload);
      await db.write([handing()]);
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
    const { upload } = await loadHeldUpload(c, c.req.param("id"));
    await giveUpUpload(c, upload);
    // What waited for this file waits no longer.
    const { db, now } = c.get("hub");
    await db.write([markHanding(db, upload.connectionId, false, now())]);
    return c.body(null, 204);
  },
);

const wasTaken = route(
  describe("wasTaken", "Check whether a file was taken before", { 200: WAS_TAKEN }, {
    description: "For files that stay where they are: compares name, size and time with the latest one of " +
      "that name, before anything is transferred.",
    faults: ["conflict"],
  }),
  ...asBridge,
  query(FOUND),
  async (c) => {
    const { connection } = await loadHeld(c, c.req.param("id"));
    const { folder, name, bytes, modified_at } = c.req.valid("query");
    const { db, secrets } = c.get("hub");
    const names = [name, ...await keyedForms(secrets, name)];
    const latest = await findLatestOfName(db, { connectionId: connection.id, folder, names });
    const taken = latest !== null && latest.bytes === bytes && latest.modifiedAt === modified_at;
    return c.json({ taken } satisfies z.infer<typeof WAS_TAKEN>);
  },
);

const settle = route(
  describe("settleFile", "Mark a file as archived", { 204: NOTHING }, {
    description: "The file was moved or deleted at its server, or can stay. It is no longer listed as " +
      "unsettled.",
    faults: ["not_found", "conflict"],
  }),
  ...asBridge,
  jsonBody(NO_FIELDS),
  async (c) => {
    const { file } = await loadHeldFile(c, c.req.param("id"));
    const { db, secrets, now } = c.get("hub");
    // It was looked for by its name until now.
    const isToHide = isKeyed(file.sha256) && !isKeyed(file.name);
    const [name = file.name] = isToHide ? await keyedForms(secrets, file.name) : [];
    await settleFile(db, file, now(), byOf(c), name);
    return c.body(null, 204);
  },
);

const getReport = route(
  describe("getFileReport", "Get the failure report of a file", {
    200: {
      description: "To be written to `reports`; encrypted where the connection uses OpenPGP",
      content: { "text/csv": CSV, "application/octet-stream": BYTES },
    },
  }, {
    description: "To be written to the folder `reports`; encrypted where the connection uses OpenPGP.",
    faults: ["not_found", "conflict"],
  }),
  ...asBridge,
  async (c) => {
    const { file } = await loadHeldFile(c, c.req.param("id"));
    const found = await findRun(c.get("hub").db, file.organizationId, file.runId);
    if (found === null) throw new Fault("not_found", "The file's run is no longer stored");
    const { file: report } = await reportToSend(c.get("hub"), found);
    if (report === null) {
      throw new Fault("not_found", "The report is available by link only: no key is registered for it");
    }
    return c.body(await report.open() as ReadableStream, 200, { "content-type": report.contentType });
  },
);

const getContent = route(
  describe("getFileContent", "Get a file's content", {
    200: { description: "To be written to `failed`", content: { "application/octet-stream": BYTES } },
  }, {
    description: "The bytes as they were transferred, to be written to the folder `failed`.",
    faults: ["not_found", "conflict"],
  }),
  ...asBridge,
  async (c) => {
    const { db, packing } = c.get("hub");
    const { file } = await loadHeldFile(c, c.req.param("id"));
    const drop = await findDrop(db, file.organizationId, file.dropId);
    if (drop === null || !await hasContent(db, drop)) throw new Fault("not_found", "The file is no longer stored");
    return c.body(openDrop(db, drop, packing).open() as ReadableStream, 200, {
      "content-type": "application/octet-stream",
    });
  },
);

const markAsReturned = route(
  describe("markReturned", "Mark a file as returned", { 204: NOTHING }, {
    description: "Its report, or the failed file itself, has been written to the customer's folder.",
    faults: ["not_found", "conflict"],
  }),
  ...asBridge,
  jsonBody(NO_FIELDS),
  async (c) => {
    const { file } = await loadHeldFile(c, c.req.param("id"));
    await markReturned(c.get("hub").db, file, c.get("hub").now(), byOf(c));
    return c.body(null, 204);
  },
);

export function bridgeFileRoutes(): Hono<Env> {
  return new Hono<Env>()
    .post("/connections/:id/uploads", ...open)
    .put("/uploads/:id/parts/:part", ...putPart)
    .post("/uploads/:id/seal", ...sealFile)
    .delete("/uploads/:id", ...discard)
    .get("/connections/:id/taken", ...wasTaken)
    .post("/files/:id/settle", ...settle)
    .get("/files/:id/report", ...getReport)
    .get("/files/:id/content", ...getContent)
    .post("/files/:id/returned", ...markAsReturned);
}

/** The same file, taken before and not put away; or, where files are left, the same bytes under that name. */
async function findTaken(c: Context<Env>, held: Held, identity: FileIdentity): Promise<BridgeFile | null> {
  const { db, secrets } = c.get("hub");
  // Of one that held somebody who was erased since, the digest is kept under a key, and the name once it is put away.
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
