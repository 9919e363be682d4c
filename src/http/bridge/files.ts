/**
 * Files that a bridge has found or handed over: whether they were taken before, where they are now, and their reports.
 */
import { Hono } from "hono";
import { z } from "zod";
import { FOUND, LEFT_FILE, REFUSED, WAS_TAKEN } from "../../model/bridge-wire.ts";
import { mailLeftFile, mailNotUsed } from "../../notify/not-used.ts";
import { XLSX } from "../../report/workbook.ts";
import { findLatestOfName, markReturned, settleFile } from "../../store/bridges/bridge-files.ts";
import { hasContent, openDrop } from "../../store/runs/drop-content.ts";
import { findDrop } from "../../store/runs/drops.ts";
import { isKeyed, keyedForms } from "../../store/people/erased-files.ts";
import { findRun } from "../../store/runs/runs.ts";
import { Fault } from "../../model/errors.ts";
import { byOf } from "../kit/authorize.ts";
import { answerOf } from "./returned.ts";
import { asBridge, loadHeld, loadHeldFile } from "./caller.ts";
import { BYTES, CSV, describe, NOTHING, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { jsonBody, query } from "../kit/validate.ts";
import { NO_FIELDS } from "../kit/values.ts";

const NOTE = z.string().meta({ examples: ["Nothing of the file was used: the input is empty.\r\n"] });

const wasTaken = route(
  describe("wasTaken", "Check whether a file was taken before", { 200: WAS_TAKEN }, {
    description: "For files that stay where they are: compares name, size and time with the latest one of " +
      "that name, before anything is transferred.",
    faults: ["conflict"],
  }),
  ...asBridge,
  query(FOUND),
  async (c) => {
    const { connection } = await loadHeld(c);
    const { folder, name, bytes, modified_at } = c.req.valid("query");
    const { db, secrets } = c.get("hub");
    const names = [name, ...await keyedForms(secrets, name)];
    const latest = await findLatestOfName(db, { connectionId: connection.id, folder, names });
    const taken = latest !== null && latest.bytes === bytes && latest.modifiedAt === modified_at;
    return c.json({ taken });
  },
);

const settle = route(
  describe("settleFile", "Mark a file as archived", { 204: NOTHING }, {
    description: "The file was moved or deleted at its server, or can stay. It is no longer listed as unsettled.",
    faults: ["not_found", "conflict"],
  }),
  ...asBridge,
  jsonBody(NO_FIELDS),
  async (c) => {
    const [file] = await loadHeldFile(c);
    const { db, secrets, now } = c.get("hub");
    // The name was needed in plain text until now, to find the file in its folder.
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
      content: { "text/csv": CSV, [XLSX]: BYTES, "text/plain": NOTE, "application/octet-stream": BYTES },
    },
  }, {
    description: "To be written to the folder `reports`; encrypted where the connection uses OpenPGP. For a file " +
      "of which nothing was used, a note that says why.",
    faults: ["not_found", "conflict"],
  }),
  ...asBridge,
  async (c) => {
    const [file] = await loadHeldFile(c);
    const report = await answerOf(c.get("hub"), file);
    if (report === null) {
      throw new Fault(
        "not_found",
        "There is no report, or it is available by link only, or the run is no longer stored",
      );
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
    const [file] = await loadHeldFile(c);
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
    const [file] = await loadHeldFile(c);
    await markReturned(c.get("hub").db, file, c.get("hub").now(), byOf(c));
    return c.body(null, 204);
  },
);

const refuse = route(
  describe("refuseFileReport", "Report that a note cannot be written", { 200: REFUSED }, {
    description: "The server does not let the bridge write why the file was not used. The technical contact gets a " +
      "mail instead, and the file counts as returned.",
    faults: ["not_found", "conflict"],
  }),
  ...asBridge,
  jsonBody(NO_FIELDS),
  async (c) => {
    const [file] = await loadHeldFile(c);
    const hub = c.get("hub");
    const found = await findRun(hub.db, file.organizationId, file.runId);
    const mailed = found !== null && await mailNotUsed(hub, file, found, byOf(c));
    return c.json({ mailed });
  },
);

const leave = route(
  describe("reportLeftFile", "Report a file that is left", { 204: NOTHING }, {
    description: "The file will not be taken, and the server does not let the bridge write a note about it. The " +
      "technical contact gets a mail, once.",
    faults: ["conflict"],
  }),
  ...asBridge,
  jsonBody(LEFT_FILE),
  async (c) => {
    const { connection } = await loadHeld(c);
    await mailLeftFile(c.get("hub"), connection, c.req.valid("json"), byOf(c));
    return c.body(null, 204);
  },
);

export const bridgeFileRoutes: Hono<Env> = new Hono<Env>()
  .get("/connections/:id/taken", ...wasTaken)
  .post("/files/:id/settle", ...settle)
  .get("/files/:id/report", ...getReport)
  .get("/files/:id/content", ...getContent)
  .post("/files/:id/returned", ...markAsReturned)
  .post("/files/:id/refused", ...refuse)
  .post("/connections/:id/not-used", ...leave);
