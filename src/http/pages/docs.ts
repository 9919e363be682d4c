/**
 * The API's own description: the OpenAPI document, and a page that shows it.
 *
 * The page loads its viewer from this hub and nothing from other hosts. It runs no inline scripts. The viewer writes styles
 * into the page, so that the page has a policy of its own (decision 125).
 */
import { Hono } from "hono";
import { html } from "hono/html";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import type { ViewerFile } from "../../hub.ts";
import { describe, json, PAGE, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { EVENT_SHAPES } from "../api/event-shapes.ts";
import { createDocument } from "../kit/openapi.ts";
import { answerPage } from "./frame.ts";

const PIECE_BYTES = 64 * 1024;

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The viewer has colours for a light page only. */
const VIEWER_STYLE = `
.top, main { max-width: 92rem }
h1 { font-size: 1.625rem; line-height: 1.2; font-weight: 650 }
#viewer { background: #ffffff; color: #1d2327; color-scheme: light; border-radius: 12px; padding-bottom: 1rem }
`;

const VIEWER_HEAD = html`
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="docs/viewer.css">
`;

/** Asks no other host for a validator badge, and does not store the token for the next visit. */
const START = `SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#viewer",
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
  filter: true,
});
`;

const FILES: Readonly<Record<string, { file: ViewerFile; type: string }>> = {
  "viewer.css": { file: "swagger-ui.css", type: "text/css; charset=utf-8" },
  "viewer.js": { file: "swagger-ui-bundle.js", type: "text/javascript; charset=utf-8" },
};

const TEXT = z.string().meta({ examples: ["…"] });
const SCRIPT = { content: { "text/javascript": TEXT } };
const FILE = { content: { "text/css": TEXT, "text/javascript": TEXT } };
const DOCUMENT = z.record(z.string(), z.unknown()).meta({ examples: [{ openapi: "3.1.1" }] });

const getPage = route(
  describe("getDocs", "Show this document as a page", { 200: PAGE }, {
    description: "An interactive viewer, served by the hub itself.",
  }),
  (c) =>
    answerPage(c, {
      title: "The API",
      organization: null,
      main: html`
        <h1>The API</h1>
        <div id="viewer"></div>
        <script src="docs/viewer.js"></script>
        <script src="docs/start.js"></script>
      `,
      isPublic: true,
      program: { policy: POLICY, style: VIEWER_STYLE, head: VIEWER_HEAD },
    }),
);

const getStart = route(
  describe("getDocsStart", "Get the viewer's start script", { 200: SCRIPT }, {
    description: "Part of the page at `/docs`; of no other use.",
  }),
  (c) => c.body(START, 200, { "content-type": "text/javascript; charset=utf-8" }),
);

const getFile = route(
  describe("getDocsFile", "Get a file of the viewer", { 200: FILE }, {
    description: "Part of the page at `/docs`, cacheable for an hour; of no other use.",
  }),
  async (c) => {
    const { openViewer } = c.get("hub");
    const name = c.req.param("file");
    const wanted = Object.hasOwn(FILES, name) ? FILES[name]! : null;
    if (wanted === null || openViewer === undefined) {
      throw new Fault("not_found", `There is nothing at "${c.req.path}"`);
    }
    return c.body(await openViewer(wanted.file) as ReadableStream, 200, {
      "content-type": wanted.type,
      "cache-control": "public, max-age=3600",
    });
  },
);

/** `app` is the whole application. Its document is made at the first request, when all of its routes are known. */
export function docsRoutes(app: Hono<Env>): Hono<Env> {
  return new Hono<Env>()
    .get("/openapi.json", ...getDocument(app))
    .get("/docs", ...getPage)
    .get("/docs/start.js", ...getStart)
    .get("/docs/:file", ...getFile);
}

function getDocument(app: Hono<Env>) {
  /** In memory once for all requests, and sent in pieces: it is long, and anybody may ask for it. */
  let document: Uint8Array | undefined;
  return route(
    describe("getDocument", "Get this document", { 200: json(DOCUMENT) }, {
      description: "The OpenAPI description of every operation, for generating clients. It changes only with " +
        "the hub's version.",
    }),
    (c) => {
      document ??= new TextEncoder().encode(
        JSON.stringify(createDocument(app, { serverUrl: c.get("hub").publicUrl, events: EVENT_SHAPES }).document),
      );
      return c.body(inPieces(document), 200, {
        "content-type": "application/json",
        "content-length": String(document.length),
      });
    },
  );
}

/** Copies each piece only when it is read. */
function inPieces(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes.slice(at, at += PIECE_BYTES));
      if (at >= bytes.length) controller.close();
    },
  }, { highWaterMark: 0 });
}
