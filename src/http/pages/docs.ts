/**
 * The API's own description: the OpenAPI document, and a page that shows it.
 *
 * The page has its viewer from this hub and nothing from elsewhere, and runs no script that is written into it.
 */
import { Hono } from "hono";
import { html } from "hono/html";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import type { ViewerFile } from "../../hub.ts";
import { describe, json, PAGE } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { EVENT_SHAPES } from "../api/event-shapes.ts";
import { createDocument } from "../kit/openapi.ts";

const PIECE_BYTES = 64 * 1024;

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Asks nobody else for a badge, and keeps no token for the next visit. */
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

/** `app` is the whole application: its document is made when it is first asked for, with all its routes there. */
export function docsRoutes(app: Hono<Env>): Hono<Env> {
  const routes = new Hono<Env>();
  /** In one place for all who ask, piece by piece: it is long, and anybody may ask for it. */
  let document: Uint8Array | undefined;

  routes.get(
    "/openapi.json",
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

  routes.get(
    "/docs",
    describe("getDocs", "Show this document as a page", { 200: PAGE }, {
      description: "An interactive viewer, served by the hub itself.",
    }),
    (c) => {
      c.header("content-security-policy", POLICY);
      c.header("referrer-policy", "no-referrer");
      return c.html(html`
        <!doctype html>
        <html lang="en">
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width">
          <title>The API of Muster</title>
          <link rel="icon" href="data:,">
          <link rel="stylesheet" href="docs/viewer.css">
          <div id="viewer"></div>
          <script src="docs/viewer.js"></script>
          <script src="docs/start.js"></script>
        </html>
      `);
    },
  );

  routes.get(
    "/docs/start.js",
    describe("getDocsStart", "Get the viewer's start script", { 200: SCRIPT }, {
      description: "Part of the page at `/docs`; of no other use.",
    }),
    (c) => {
      c.header("content-type", "text/javascript; charset=utf-8");
      return c.body(START);
    },
  );

  routes.get(
    "/docs/:file",
    describe("getDocsFile", "Get a file of the viewer", { 200: FILE }, {
      description: "Part of the page at `/docs`, cacheable for an hour; of no other use.",
    }),
    async (c) => {
      const { openViewer } = c.get("hub");
      const wanted = Object.hasOwn(FILES, c.req.param("file")) ? FILES[c.req.param("file")]! : null;
      if (wanted === null || openViewer === undefined) {
        throw new Fault("not_found", `There is nothing at "${c.req.path}"`);
      }
      return c.body(await openViewer(wanted.file) as ReadableStream, 200, {
        "content-type": wanted.type,
        "cache-control": "public, max-age=3600",
      });
    },
  );

  return routes;
}

/** Nothing is taken from it before it is read. */
function inPieces(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes.slice(at, at += PIECE_BYTES));
      if (at >= bytes.length) controller.close();
    },
  }, { highWaterMark: 0 });
}
