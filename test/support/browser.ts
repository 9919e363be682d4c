/** A real browser for tests of pages: Debian's chromium, with an empty profile of its own and nothing running behind. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import type { Hub } from "../../src/hub.ts";
import { createApp } from "../../src/http/app.ts";
import { without } from "./programs.ts";

const CHROMIUM = "/usr/bin/chromium";
const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const WITHOUT_BROWSER = without(CHROMIUM, "chromium");

if (WITHOUT_BROWSER !== false) console.warn(`Skipped: ${WITHOUT_BROWSER}`);

export interface Browsing {
  /** Opens a window; closed with the browser. */
  open(options?: { width?: number; height?: number; dark?: boolean }): Promise<Page>;
  close(): Promise<void>;
}

export async function startBrowser(): Promise<Browsing> {
  const profile = mkdtempSync(join(tmpdir(), "muster-browser-"));
  const options = { executablePath: CHROMIUM, args: ARGS, acceptDownloads: true };
  const context = await chromium.launchPersistentContext(profile, options);
  return {
    async open({ width = 1000, height = 800, dark = false } = {}) {
      const page = await context.newPage();
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
      return page;
    },
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Serves the hub on a port of its own. Gives the address, and the hub that says so in its links. */
export async function serveHub<T extends Hub>(hub: T): Promise<{ hub: T; close(): Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const served = { ...hub, publicUrl: `http://127.0.0.1:${port}` };
  const app = createApp(served);
  const { getRequestListener } = await import("@hono/node-server");
  server.on("request", getRequestListener(app.fetch));
  return {
    hub: served,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
