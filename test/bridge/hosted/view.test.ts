import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "node:test";
import { foldersIn, lookUp, normalize } from "../../../src/bridge/hosted/view.ts";

const file = (folder: string, path: string) => {
  const spot = lookUp(folder, path);
  return spot.is === "file" ? `${spot.shelf}:${spot.name}` : spot.is;
};

test("the few folders are all that there is, and names are what lies in them", () => {
  assert.equal(file("/incoming", "/incoming/a.csv"), "drops:a.csv");
  assert.equal(file("/incoming", "incoming//./a.csv"), "drops:a.csv");
  assert.equal(file("/incoming", "/.bak/a.csv"), ".bak:a.csv");
  assert.equal(file("/incoming", "/reports/a.csv"), "reports:a.csv");
  assert.equal(file("/incoming", "/failed/a.csv"), "failed:a.csv");
  assert.equal(file("/incoming", "/a.csv"), "nothing");
  assert.equal(file("/incoming", "/Incoming/a.csv"), "nothing");
  assert.equal(file("/incoming", "/incoming/deeper/a.csv"), "nothing");
  assert.equal(file("/", "/a.csv"), "drops:a.csv");
  assert.equal(file("/", "/reports"), "folder");
  assert.deepEqual(foldersIn("/hr/in", "/", [".bak", "reports"]), ["hr", ".bak", "reports"]);
  assert.deepEqual(foldersIn("/hr/in", "/hr", [".bak"]), ["in"]);
  assert.deepEqual(foldersIn("/hr/in", "/hr/in", [".bak"]), []);
  assert.deepEqual(foldersIn("/", "/", []), []);
});

test("nothing is above the root", () => {
  assert.equal(normalize("/../../../etc/passwd"), "/etc/passwd");
  assert.equal(normalize("../../.."), "/");
  assert.equal(file("/incoming", "/incoming/../../incoming/a.csv"), "drops:a.csv");
  assert.equal(file("/incoming", "/incoming/../../con_b/drops/a.csv"), "nothing");
});

test("whatever a client says, no more than one plain name gets to the disk", () => {
  const part = fc.oneof(
    fc.constantFrom("..", ".", "", "incoming", ".bak", "reports", "a.csv", "\0", "..\\..", "~", "%2e%2e", "\ufffd"),
    fc.string({ unit: "binary", maxLength: 300 }),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), fc.constantFrom("/incoming", "/", "/hr/in"), (parts, folder) => {
      const spot = lookUp(folder, parts.join("/"));
      if (spot.is !== "file") return;
      assert.ok(!/[/\\\p{Cc}]/u.test(spot.name) && !["", ".", ".."].includes(spot.name));
      assert.ok(new TextEncoder().encode(spot.name).length <= 255);
    }),
    { numRuns: 500 },
  );
});

test("names may be of any script, and have no control characters, halves of characters or endless length", () => {
  for (
    const name of [
      "Ünïcödé.csv",
      "人員.csv",
      "😀.csv",
      "e\u0301.csv",
      "with space.csv",
      "'quote\".csv",
      "a".repeat(200),
    ]
  ) {
    assert.equal(file("/incoming", `/incoming/${name}`), `drops:${name}`);
  }
  for (
    const name of [
      "a\0.csv",
      "a\n.csv",
      "a\u007f.csv",
      "a\u2028.csv",
      "a\\b.csv",
      "\ufffd.csv",
      "a".repeat(201),
      "ä".repeat(101),
    ]
  ) {
    const spot = lookUp("/incoming", `/incoming/${name}`);
    assert.ok(spot.is === "nothing" && spot.why !== null, JSON.stringify(name));
  }
});
