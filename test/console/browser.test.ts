/**
 * The console in a real browser, by mouse and by keyboard: every page is held to WCAG 2.2 AA by axe-core, light on a desktop and
 * dark on a phone, and fits its width. With MUSTER_TEST_PICTURES=DIR each page is kept there as a picture.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { serveHub, startBrowser, WITHOUT_BROWSER } from "../support/browser.ts";
import { consoleRoutesOf } from "../support/console-routes.ts";
import { createTestToken } from "../support/hub.ts";
import { crowd, csv, HEADER, type Importing, importing } from "../support/imports.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const PICTURES = process.env.MUSTER_TEST_PICTURES ?? null;
const COLUMNS = `${HEADER},is_active,title`;
const LONG = "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh";
const WINDOWS = [
  { name: "desktop", width: 1200, height: 900, dark: false },
  { name: "phone", width: 375, height: 740, dark: true },
];
const skip = onlyInCheckOnDeno || WITHOUT_BROWSER;

interface Scene {
  readonly url: string;
  readonly open: (options?: { width?: number; height?: number; dark?: boolean }) => Promise<Page>;
  /** What pages have complained of, such as something that their content security policy refuses. */
  readonly complaints: string[];
}

async function inBrowser(world: Importing, work: (scene: Scene) => Promise<void>): Promise<void> {
  const served = await serveHub(world.hub), browser = await startBrowser(), complaints: string[] = [];
  try {
    await work({
      url: served.hub.publicUrl,
      complaints,
      async open(options) {
        const page = await browser.open(options);
        page.on("console", (message) => {
          if (["error", "warning"].includes(message.type())) complaints.push(`${page.url()}: ${message.text()}`);
        });
        page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error.message}`));
        return page;
      },
    });
  } finally {
    await browser.close();
    await served.close();
  }
}

async function signIn(page: Page, url: string, token: string): Promise<void> {
  await page.goto(url);
  // Windows of one browser share the session.
  if (/\/o\//.test(page.url())) return;
  await page.fill("input[name=token]", token);
  await page.press("input[name=token]", "Enter");
  await page.waitForURL(/\/o\//);
}

/** What axe-core finds, a line each. */
async function findingsOn(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(
    (tags) =>
      (globalThis as unknown as { axe: { run(options: object): Promise<AxeResults> } }).axe
        .run({ runOnly: { type: "tag", values: tags } }),
    TAGS,
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`)
  );
}

/** Somebody with everything: people with long names, runs that were applied, left rows out, failed, and wait. */
async function fill(world: Importing): Promise<Record<string, string>> {
  await world.import(
    csv(COLUMNS, ...crowd(40, 1, () => `,yes,Head of ${LONG}`), `L1,l1@acme.test,${LONG},${LONG},yes,`),
  );
  await world.import(csv(COLUMNS, ...crowd(41, 1, (i) => i < 6 ? ",perhaps," : ",yes,Lead")));
  await world.connect("second", { name: `Of ${LONG}` });
  const partial = await world.import(
    csv(
      COLUMNS,
      ...crowd(41, 201, (i) => i < 206 ? ",perhaps," : ",yes,Lead"),
      `L2,l2@acme.test,${LONG},${LONG},maybe,,x`,
    ),
    { connection: "second" },
  );
  await world.import("\u0000\u0001 no table");
  await world.import(csv(COLUMNS, ...crowd(40, 1, (i) => i <= 15 ? ",no," : ",yes,Lead")));
  const [person, other] = await world.people();
  const make = async (path: string, json: object): Promise<string> =>
    (await (await world.ask(path, { json })).json()).id;
  return {
    "runs/:id": partial.id,
    "people/:id": person!.id,
    other: other!.id,
    "members/:id": await make("/v1/members", { email: "di@example.com", name: `Di ${LONG}`, role: "approver" }),
    "tokens/:id": await make("/v1/tokens", { name: `Of ${LONG}`, scopes: ["users:read"] }),
    "webhooks/:id": await make("/v1/webhook-endpoints", { url: "https://hooks.example.com/muster" }),
  };
}

test(
  "every page is accessible in both themes, fits a desktop and a phone, and breaks no policy",
  { skip },
  async () => {
    await importing(async (world) => {
      const examples = await fill(world);
      const token = await createTestToken(world.hub, { scopes: ["admin", "operator"] });
      const isPage = ({ method, path }: { method: string; path: string }) =>
        method === "GET" && !/:file|\.csv$/.test(path);
      const addresses = consoleRoutesOf(world.hub, examples).filter(isPage).map(({ address }) => address);
      addresses.push(
        "/o/default/explain?q=E0001",
        "/o/default/people?q=Nobody",
        "/o/default/nowhere",
        `/o/default/people/${examples["people/:id"]}/merge?into=${examples.other}`,
        `/o/default/import/files?run=${examples["runs/:id"]}`,
        "/templates",
        "/templates/custom",
        "/sign-in",
        "/errors/email_invalid",
        "/errors/nowhere",
      );
      if (PICTURES !== null) mkdirSync(PICTURES, { recursive: true });
      await inBrowser(world, async ({ url, open, complaints }) => {
        const problems: string[] = [];
        for (const { name, ...options } of WINDOWS) {
          const page = await open(options);
          await signIn(page, url, token);
          for (const address of addresses) {
            await page.goto(url + address);
            if (PICTURES !== null) {
              const file = `${address.replaceAll(/[^\w]+/g, "-").slice(1)}-${name}.png`;
              await page.screenshot({ path: join(PICTURES, file), fullPage: true });
            }
            // What is folded away, too.
            await page.evaluate(() => document.querySelectorAll("details").forEach((each) => each.open = true));
            for (const found of await findingsOn(page)) problems.push(`${name} ${address}: ${found}`);
            const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
            if (over > 0) problems.push(`${name} ${address}: ${over} px too wide`);
          }
          await page.close();
        }
        assert.deepEqual([...new Set(problems)], []);
        assert.deepEqual(complaints.filter((text) => !/status of 404/.test(text)), []);
      });
    });
  },
);

test("from the first page to a file that is imported, by mouse alone, there are four clicks", { skip }, async () => {
  await importing(async (world) => {
    await inBrowser(world, async ({ url, open, complaints }) => {
      const page = await open();
      await signIn(page, url, await createTestToken(world.hub));
      let clicks = 0;
      const click = async (name: RegExp) => {
        clicks++;
        await page.getByRole("button", { name }).first().click();
      };
      const buffer = Buffer.from(csv(COLUMNS, ...crowd(3, 1, () => ",yes,")) as string);
      clicks++;
      await page.setInputFiles("input[type=file]", { name: "people.csv", mimeType: "text/csv", buffer });
      const sent = click(/Show what would change/);
      while ((await world.runs()).length === 0) await new Promise((then) => setTimeout(then, 10));
      await world.carry();
      await sent;
      await page.waitForURL(/\/runs\//);
      await click(/Approve/);
      await click(/Yes/);
      await page.waitForLoadState();
      await world.carry();
      await page.reload();
      assert.match(await page.innerText("main"), /3\s+people were created/);
      assert.equal(clicks, 4);
      assert.deepEqual(complaints, []);
    });
  });
});

test(
  "a run's page shows how it goes on, and its result without being loaded again; a focus in it is kept",
  { skip },
  async () => {
    await importing(async (world) => {
      await inBrowser(world, async ({ url, open, complaints }) => {
        const watching = await open(), working = await open();
        await signIn(watching, url, await createTestToken(world.hub));
        const id = await world.handIn(csv(COLUMNS, ...crowd(3, 1, () => ",yes,")));
        for (const page of [watching, working]) await page.goto(`${url}/o/default/runs/${id}`);
        assert.match(await watching.innerText("main"), /Waiting its turn/);
        await working.getByRole("link", { name: "What each column is read as" }).focus();
        await world.carry();
        await watching.getByText("people were created").first().waitFor();
        await working.getByRole("link", { name: "It has ended. See the result" }).waitFor();
        const focused = await working.evaluate(() => document.activeElement!.textContent);
        assert.equal(focused, "What each column is read as");
        assert.deepEqual(complaints, []);
      });
    });
  },
);

test(
  "by keyboard alone somebody is searched, found and looked at, and the focus is always seen",
  { skip },
  async () => {
    await importing(async (world) => {
      await fill(world);
      await inBrowser(world, async ({ url, open }) => {
        const page = await open();
        await signIn(page, url, await createTestToken(world.hub));
        await tabTo(page, "People");
        await page.keyboard.press("Enter");
        await page.waitForURL(/\/people$/);
        await tabTo(page, null, "input[type=search]");
        await page.keyboard.type("p0007@acme.test");
        await page.keyboard.press("Enter");
        await page.waitForURL(/q=p0007/);
        await tabTo(page, "First0007 Last0007");
        await page.keyboard.press("Enter");
        await page.waitForURL(/\/people\/usr_/);
        assert.match(await page.innerText("h1"), /First0007 Last0007/);
      });
    });
  },
);

/** Presses Tab until what has this text, or what fits the selector, has the focus; fails where the focus is not seen. */
async function tabTo(page: Page, text: string | null, selector = "*"): Promise<void> {
  for (let n = 0; n < 60; n++) {
    await page.keyboard.press("Tab");
    const focus = await page.evaluate((selector) => {
      const { activeElement: at } = document;
      const { outlineStyle, boxShadow } = getComputedStyle(at!);
      return {
        text: at!.textContent?.trim() ?? "",
        fits: at!.matches(selector),
        isSeen: at === document.body || outlineStyle !== "none" || boxShadow !== "none",
      };
    }, selector);
    assert.ok(focus.isSeen, `the focus is not seen on ${focus.text}`);
    if (focus.fits && (text === null || focus.text === text)) return;
  }
  throw new Error(`No way by keyboard to ${text ?? selector}`);
}
