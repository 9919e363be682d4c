/** Drops: uploaded with one request, shown, and downloaded as they were received. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { charsetOf, charsetProblem, findCharset, withCharset } from "../../model/charset.ts";
import { Fault } from "../../model/errors.ts";
import { receiveDrop } from "../../runs/receive-drop.ts";
import { type Drop, findDrop } from "../../store/runs/drops.ts";
import { hasContent, openDrop } from "../../store/runs/drop-content.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { loadConnection } from "./connections.ts";
import { BYTES, CSV, describe, download, PREFER, route, started } from "../kit/describe.ts";
import { XLSX } from "../../report/workbook.ts";
import { attachment } from "../kit/disposition.ts";
import type { Env } from "../kit/env.ts";
import { counted } from "../kit/in-flight.ts";
import { answerRun, bodyOf, requireTakesDrops, viewDrop } from "./drop-answer.ts";
import { readFormFile } from "../kit/multipart.ts";
import { requireInput, requireSeen } from "../kit/reading.ts";
import { DROP, DROP_TAKEN } from "../kit/shapes.ts";
import { query } from "../kit/validate.ts";
import { COVERAGE } from "../../model/policy.ts";
import { BY_HAND_QUERY, CHARSET, DROP_NAME, ENTITY, MODE } from "../kit/values.ts";
import { byId, loader } from "../kit/load.ts";

/** Media types that a drop's body may have, and the name of a drop that is sent without one. */
const TYPES = new Map([
  ["text/csv", "upload.csv"],
  ["application/json", "upload.json"],
  ["application/x-ndjson", "upload.ndjson"],
  [XLSX, "upload.xlsx"],
  ["application/gzip", "upload.gz"],
  ["application/zip", "upload.zip"],
  ["application/octet-stream", "upload"],
]);

const BINARY = {
  [XLSX]: BYTES,
  "application/gzip": BYTES,
  "application/zip": BYTES,
  "application/octet-stream": BYTES,
};

const INPUT = z.strictObject({
  name: DROP_NAME.optional().meta({ description: "File name to show; by default the form's, or one by media type" }),
  mode: MODE.default("auto").meta({ description: "`plan`: wait for approval, whatever the limits say" }),
  entity: ENTITY.optional().meta({ description: "What the rows are about; by default detected from the header" }),
  coverage: COVERAGE.optional().meta({
    description:
      "`full`: people who are not in it are missing; `diff`: it has changes only. By default the connection's policy",
  }),
  by_hand: BY_HAND_QUERY,
  charset: CHARSET.optional().meta({
    description: "Encoding of a CSV file that is not UTF-8, such as `windows-1252`. Overrides that of the " +
      "content type and the setting",
  }),
});

const RECORDS = z.unknown().meta({ examples: [[{ employee_id: "000123", email: "ana@example.com" }]] });
const NDJSON = z.string().meta({ examples: ['{"employee_id":"000123","email":"ana@example.com"}\n'] });

const TAKEN = {
  200: started(DROP_TAKEN, "The run has ended, or waits for a decision"),
  202: started(DROP_TAKEN, "The run has been queued"),
};
const UPLOAD = {
  description: "Stores the body as a drop of up to 1 GiB and queues a run for it. Over an unreliable line, send it " +
    "in parts as an upload instead.",
  headers: [PREFER],
  body: {
    required: true,
    content: {
      "text/csv": CSV,
      "application/json": RECORDS,
      "application/x-ndjson": NDJSON,
      ...BINARY,
      "multipart/form-data": z.strictObject({ file: BYTES }),
    },
  },
  faults: [
    "invalid_request",
    "too_large",
    "unsupported_media_type",
    "unprocessable",
    "input_incomplete",
    "storage_full",
    "too_many_in_flight",
    "queue_full",
  ],
} satisfies Parameters<typeof describe>[3];
const AS_RECEIVED = download(
  { "text/csv": CSV, "application/json": RECORDS, "application/x-ndjson": NDJSON, ...BINARY },
  "In the media type of the upload",
);

/** Only sealed ones: before that, a drop is an upload. */
const loadAnyDrop = loader(
  "drop",
  byId("drp", async (db, organizationId, id) => {
    const drop = await findDrop(db, organizationId, id);
    return drop?.sha256 == null ? null : drop;
  }),
);

/** A drop that the request may see. Others are not there. */
export async function loadDrop(c: Context<Env>): Promise<Drop> {
  const drop = await loadAnyDrop(c);
  requireSeen(c, "drop", drop);
  return drop;
}

const upload = route(
  describe("handInDrop", "Upload a file or records", TAKEN, UPLOAD),
  requires("drops:write"),
  query(INPUT),
  async (c) => {
    const given = c.req.valid("query");
    const connection = await loadConnection(c);
    requireTakesDrops(c, connection);
    const { dropId, runId } = await counted(c, "bodies", async () => {
      const received = await receive(c);
      return await receiveDrop(
        c.get("hub"),
        connection,
        {
          name: given.name ?? received.name,
          contentType: withCharset(
            received.contentType,
            given.charset === undefined ? received.charset : findCharset(given.charset),
          ),
          mode: given.mode,
          entity: given.entity ?? null,
          coverage: given.coverage ?? null,
          byHand: given.by_hand === "true",
        },
        received.content,
        byOf(c),
      );
    });
    return await answerRun(c, dropId, runId);
  },
);

const get = route(
  describe("getDrop", "Get a drop", { 200: DROP }, {
    description: "Name, size and digest of an input, and until when its content is kept.",
  }),
  requires("runs:own"),
  async (c) => c.json(viewDrop(await loadDrop(c))),
);

const getContent = route(
  describe("getDropContent", "Download a drop's content", { 200: AS_RECEIVED }, {
    description: "The bytes as they were received, for as long as they are kept. Needs `users:read`, " +
      "unless the same token uploaded them.",
  }),
  requires("runs:own"),
  async (c) => {
    const { db } = c.get("hub");
    const drop = await loadDrop(c);
    requireInput(c, drop);
    if (!await hasContent(db, drop)) {
      throw new Fault("not_found", `The content of "${c.req.param("id")}" is no longer kept`);
    }
    return c.body(openDrop(db, drop).open() as ReadableStream, 200, {
      "content-type": drop.contentType,
      "content-disposition": attachment(drop.name),
    });
  },
);

export const dropRoutes: Hono<Env> = new Hono<Env>()
  .post("/connections/:id/drops", ...upload)
  .get("/drops/:id", ...get)
  .get("/drops/:id/content", ...getContent);

async function receive(c: Context<Env>) {
  const header = c.req.header("content-type") ?? "application/octet-stream";
  const type = withCharset(header, null).toLowerCase();
  if (type === "multipart/form-data") {
    const file = await readFormFile(bodyOf(c), header);
    const declared = withCharset(file.contentType ?? "", null).toLowerCase();
    const contentType = TYPES.has(declared) ? declared : "application/octet-stream";
    const name = DROP_NAME.safeParse(file.name);
    return {
      name: name.success ? name.data : TYPES.get(contentType)!,
      contentType,
      charset: declaredCharset(contentType, file.contentType ?? ""),
      content: file.content,
    };
  }
  const name = TYPES.get(type);
  if (name === undefined) {
    throw new Fault(
      "unsupported_media_type",
      `The body is "${type}"; it should be ${
        [...TYPES.keys()].join(", ")
      } or multipart/form-data with the field "file"`,
    );
  }
  return { name, contentType: type, charset: declaredCharset(type, header), content: bodyOf(c) };
}

/** The encoding that a content type declares. JSON has none to declare: it is UTF-8 (RFC 8259), whatever clients add. */
function declaredCharset(type: string, header: string): string | null {
  const label = type === "text/csv" || type === "application/octet-stream" ? charsetOf(header) : null;
  if (label === null) return null;
  const charset = findCharset(label);
  if (charset === null) throw new Fault("unsupported_media_type", `The body's charset is ${charsetProblem(label)}`);
  return charset;
}
