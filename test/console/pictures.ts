/**
 * Makes the pictures of the README from a hub with invented people: `npm run pictures`. Needs Debian's chromium.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { serveHub, startBrowser } from "../support/browser.ts";
import { createTestToken } from "../support/hub.ts";
import { csv, DAY_MS, importing } from "../support/imports.ts";

const FOLDER = fileURLToPath(new URL("../../docs/pictures", import.meta.url));
const NAMES =
  ("Ana Sol,Bo Berg,Cleo Arden,Dan Ellis,Eva Frost,Finn Birch,Gia Cole,Hugo Grant,Ida Dunn,Jon Marsh,Kim Lund,Lea Novak," +
    "Max Stone,Nia Wood,Otto Hill,Pia Ross,Quin Reed,Rui Costa,Sam Park,Tea Falk").split(",");
const TITLES = ["Engineer", "Nurse", "Sales lead", "Designer"], DEPARTMENTS = ["Care", "Works", "Sales"];

/** `gone`: how many of the first have left. */
function people(gone: number): string {
  const rows = NAMES.map((name, i) => {
    const [first, last] = name.split(" ") as [string, string];
    const id = String(i + 1).padStart(5, "0"), department = DEPARTMENTS[i % 3];
    const title = gone > 0 && i === 12 ? "Head of Care" : TITLES[i % 4];
    return `${id},${first.toLowerCase()}@example.com,${first},${last},${title},${department},${
      i < gone ? "no" : "yes"
    }`;
  });
  return csv("employee_id,email,first_name,last_name,title,department,is_active", ...rows) as string;
}

await importing(async (world) => {
  mkdirSync(FOLDER, { recursive: true });
  await world.import(people(0), { name: "people-2026-03-01.csv" });
  world.later(DAY_MS);
  const held = await world.import(people(8), { name: "people-2026-03-02.csv" });
  const served = await serveHub(world.hub), browser = await startBrowser();
  try {
    const page = await browser.open({ width: 960, height: 640 }), url = served.hub.publicUrl;
    await page.goto(url);
    await page.fill("input[name=token]", await createTestToken(world.hub));
    await page.press("input[name=token]", "Enter");
    await page.waitForURL(/\/o\//);
    const [person] = (await world.people()).slice(12);
    for (const [name, path] of [["run", `/runs/${held.id}`], ["person", `/people/${person!.id}`]]) {
      await page.goto(`${url}/o/default${path}`);
      await page.screenshot({ path: join(FOLDER, `${name}.png`) });
    }
  } finally {
    await browser.close();
    await served.close();
  }
});
