/** The page for people in a real browser: it decides, it needs no script, and it fits a phone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { mintLinks } from "../../src/notify/links.ts";
import { serveHub, startBrowser, WITHOUT_BROWSER } from "../support/browser.ts";
import { crowd, csv, HEADER, type Importing, importing, type Outcome } from "../support/imports.ts";
import { onlyInCheck } from "../support/rounds.ts";

const COLUMNS = `${HEADER},is_active,title`;

interface Scene {
  readonly world: Importing;
  readonly run: Outcome;
  readonly link: string;
  readonly open: (options?: { width?: number; height?: number; dark?: boolean }) => Promise<Page>;
  /** What pages have complained of. */
  readonly complaints: string[];
}

/** A hub on a port with a held run that deactivates twelve of forty, and a browser. */
async function inBrowser(work: (scene: Scene) => Promise<void>): Promise<void> {
  await importing(async (world) => {
    await world.import(csv(COLUMNS, ...crowd(40, 1, () => ",yes,Engineer")));
    const rows = crowd(
      40,
      1,
      (i) => i <= 12 ? ",no,Engineer" : i === 20 ? ",yes,<img src=x onerror=alert(1)>" : ",yes,Engineer",
    );
    const run = await world.import(
      csv(COLUMNS, ...rows, ...crowd(1, 41).map((row) => row.replace("acme.test", "") + ",yes,")),
    );
    assert.equal(run.status, "held");
    const served = await serveHub(world.hub);
    const browser = await startBrowser();
    const complaints: string[] = [];
    try {
      const subject = { id: world.number("run", run.id), organizationId: world.hub.organization.id };
      const { page: link } = await mintLinks(served.hub, subject);
      await work({
        world,
        run,
        link,
        complaints,
        async open(options) {
          const page = await browser.open(options);
          page.on("console", (message) => complaints.push(message.text()));
          page.on("dialog", (dialog) => {
            complaints.push(dialog.message());
            void dialog.dismiss();
          });
          await page.goto(link);
          return page;
        },
      });
    } finally {
      await browser.close();
      await served.close();
    }
  });
}

const skip = onlyInCheck || WITHOUT_BROWSER;

test(
  "a technical contact looks at who is affected, approves, and sees it done",
  { skip },
  () =>
    inBrowser(async ({ world, run, open, complaints }) => {
      const page = await open();
      assert.match(await page.innerText("h1"), /people\.csv/);
      await page.click("text=Show them");
      assert.equal(await page.locator(".people > li").count(), 12);
      await page.fill("input[type=search]", "last0007");
      await page.press("input[type=search]", "Enter");
      assert.match(await page.innerText(".people"), /First0007 Last0007/);
      assert.equal(await page.locator(".people > li").count(), 1);
      const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=Report as CSV")]);
      assert.equal(download.suggestedFilename(), "people.failures.csv");
      await page.click("text=Approve…");
      assert.equal((await world.run(run.id)).status, "held");
      await page.click("text=No, go back");
      await page.click("text=Approve…");
      await page.click("text=Yes, approve it");
      assert.match(await page.innerText("main"), /It was approved/);
      await world.carry();
      await page.click("text=Refresh");
      assert.match(await page.innerText(".state"), /Done/);
      assert.equal((await world.run(run.id)).counts.deactivated, 12);
      assert.deepEqual(complaints, []);
    }),
);

test(
  "another cancels; a visitor who still has the page open is informed, and shown what became of it",
  { skip },
  () =>
    inBrowser(async ({ world, run, open }) => {
      const [one, other] = [await open(), await open()];
      await one.click("text=Cancel this run…");
      await one.click("text=Yes, cancel it");
      assert.match(await one.innerText(".state"), /Cancelled/);
      assert.equal((await world.run(run.id)).status, "cancelled");
      await other.click("text=Approve…");
      assert.match(await other.innerText("[role=alert]"), /There is nothing to approve/);
      assert.match(await other.innerText(".state"), /Cancelled/);
    }),
);

test(
  "on a phone somebody says who a row is about, and takes it back; the longest address fits",
  { skip },
  () =>
    inBrowser(async ({ world, run, link, open, complaints }) => {
      await world.post(`/v1/runs/${run.id}/cancel`);
      const address = `zed.${"young".repeat(12)}@${"a".repeat(60)}.${"acme".repeat(12)}.test`;
      const rows = crowd(40, 1, (i) => i === 2 ? ",yes,Intern" : ",yes,Engineer");
      const row = rows[1]!.replace("p0002@acme.test", address).replace("First0002,Last0002", "Zed,Young");
      const refused = await world.import(csv(COLUMNS, ...rows.with(1, row)));
      const subject = { id: world.number("run", refused.id), organizationId: world.hub.organization.id };
      const { page: its } = await mintLinks({ ...world.hub, publicUrl: new URL(link).origin }, subject);
      const page = await open({ width: 360, height: 640 });
      await page.goto(its);
      assert.ok((await page.innerText(".versus")).replaceAll("\n", "").includes(address));
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
      await page.click("text=The same person…");
      assert.match(await page.innerText("h1"), /Is it the same person/);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
      await page.click("text=Yes, the same person");
      assert.match(page.url(), /#row-1$/);
      assert.match(await page.innerText("#row-1"), /The same person\. Decided on/);
      await page.click("text=Undo this…");
      await page.click("text=Yes, undo it");
      assert.match(await page.innerText("#row-1"), /Somebody new…/);
      assert.deepEqual(complaints, []);
    }),
);

test(
  "the policy lets no script run and nothing be loaded, and the page loads nothing",
  { skip },
  () =>
    inBrowser(async ({ open, link, complaints }) => {
      const page = await open();
      const asked: string[] = [];
      page.on("response", (response) => asked.push(response.url()));
      await page.reload();
      assert.deepEqual(asked, [link]);
      assert.equal(await page.locator("script, img, iframe, link[rel=stylesheet]").count(), 0);
      assert.equal(complaints.length, 0, complaints.join());
      // What somebody would have smuggled in. The page's own style is known by its hash.
      await page.evaluate(() => {
        const script = document.createElement("script");
        script.textContent = "document.title = 'taken over'";
        document.body.append(script);
        const image = document.createElement("img");
        image.src = "/healthz";
        document.body.append(image);
      });
      await page.waitForTimeout(200);
      assert.doesNotMatch(await page.title(), /taken over/);
      assert.ok(
        complaints.length >= 2 && complaints.every((line) => /Content Security Policy/.test(line)),
        complaints.join(),
      );
      assert.deepEqual(asked, [link]);
      assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector(".card")!).borderRadius), "12px");
    }),
);

test(
  "the page fits a phone, can be used with a keyboard, and is legible by day and by night",
  { skip },
  () =>
    inBrowser(async ({ open }) => {
      for (const dark of [false, true]) {
        const page = await open({ width: 360, height: 640, dark });
        const { wide, small, unlabelled, jumps } = await page.evaluate(() => ({
          wide: document.documentElement.scrollWidth,
          small: [...document.querySelectorAll("button, .button")].filter((each) =>
            each.getBoundingClientRect().height < 44
          )
            .length,
          unlabelled:
            [...document.querySelectorAll("input:not([type=hidden])")].filter((each) =>
              (each as HTMLInputElement).labels?.length === 0
            ).length,
          jumps: [...document.querySelectorAll("h1, h2, h3")].map((each) => Number(each.tagName[1])).filter((
            level,
            at,
            all,
          ) => at > 0 && level > all[at - 1]! + 1).length,
        }));
        assert.ok(wide <= 360, `${wide} pixels wide`);
        assert.deepEqual([small, unlabelled, jumps], [0, 0, 0]);
        const faint = await page.evaluate(faintTexts);
        assert.deepEqual(faint, []);
        await page.keyboard.press("Tab");
        assert.equal(await page.evaluate(() => document.activeElement?.textContent), "To the content");
        await page.keyboard.press("Enter");
        await page.keyboard.press("Tab");
        assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Show them");
      }
    }),
);

/** Texts with less contrast than 4.5 to 1 (WCAG 2.2, 1.4.3). Runs in the page. */
function faintTexts(): string[] {
  const parse = (color: string) => color.match(/[\d.]+/g)!.map(Number);
  const light = ([r, g, b]: number[]) => {
    const [x, y, z] = [r!, g!, b!].map((each) => each / 255).map((each) =>
      each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4
    );
    return 0.2126 * x! + 0.7152 * y! + 0.0722 * z!;
  };
  const behind = (element: Element): number[] => {
    for (let each: Element | null = element; each !== null; each = each.parentElement) {
      const color = parse(getComputedStyle(each).backgroundColor);
      if (color[3] !== 0) return color;
    }
    return [255, 255, 255];
  };
  const faint: string[] = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent!.trim() !== "");
    if (!own || element.closest(".hidden, .skip, style")) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) {
      faint.push(`${element.className} ${element.textContent!.trim().slice(0, 30)}: ${contrast.toFixed(2)}`);
    }
  }
  return faint;
}
