/** What may import what. Reads the import lines of src/ and connectors/, so that a rule broken is a test failed. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

interface Import {
  /** From the repository's root. */
  readonly file: string;
  readonly specifier: string;
  /** The file that a relative specifier means, from the repository's root; else null. */
  readonly target: string | null;
}

const files = ["src", "connectors"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).filter(
    (name) => /\.[jt]s$/.test(name),
  )
    .map((name) => join(folder, name))
);
const sources = new Map(
  files.map((file) => [file, readFileSync(join(ROOT, file), "utf8")]),
);
const imports = files.flatMap((file) => importsOf(file));

function importsOf(file: string): Import[] {
  const code = sources.get(file)!.replace(/^\s*(\/\/|\*|\/\*).*$/gm, "");
  const pattern = /(?:^|\n)\s*(?:import|export)\b[^;"'`]*?\bfrom\s*["']([^"']+)["']|\bimport\s*\(?\s*["']([^"']+)["']/g;
  return [...code.matchAll(pattern)].map((match) => {
    const specifier = (match[1] ?? match[2])!;
    const target = specifier.startsWith(".") ? relative(ROOT, join(ROOT, dirname(file), specifier)) : null;
    return { file, specifier, target };
  });
}

/** From ground to roof: each may import those before it, and its own. */
const FLOORS = [
  "std",
  "model",
  "connector.ts",
  "connector-settings.ts",
  "intake",
  "reconcile",
  "scim",
  "security",
  "bridge",
  "store",
  "hub.ts",
  "report",
  "notify",
  "runs",
  "people",
  "sources",
  "upkeep",
  "http",
  "connectors",
  "runtime",
  "kit",
  "cli",
  "deno.ts",
  "node.js",
  "worker.ts",
];

/** They know the runtime: they read the environment, open what is needed, and pass it on as values. */
const isEntry = (file: string) => /^src\/(deno\.ts|node\.js|worker\.ts|cli\/|kit\/|runtime\/)/.test(file);
/** A process beside the hub: it speaks with it over HTTP alone, and is no part of it. */
const isBridge = (file: string) => file.startsWith("src/bridge/");
const isPure = (file: string) => /^src\/(intake|reconcile|scim)\//.test(file);

/** Every import that breaks the rule, as `file imports specifier`. */
function breaking(rule: (line: Import) => boolean): string[] {
  return imports.filter((line) => !rule(line)).map((line) => `${line.file} imports ${line.specifier}`);
}

function floorOf(file: string): number {
  const [first, second] = file.split("/");
  return FLOORS.indexOf(first === "src" ? second! : first!);
}

test("every folder has a floor, and no import goes up", () => {
  assert.deepEqual(files.filter((file) => floorOf(file) < 0), []);
  assert.deepEqual(
    breaking(({ file, target }) =>
      target === null || !sources.has(target) ||
      floorOf(target) <= floorOf(file)
    ),
    [],
  );
});

test("the import lines are found", () => {
  assert.ok(
    files.length > 30 && imports.length > files.length,
    `${imports.length} imports in ${files.length} files`,
  );
});

/** What connectors may use of the hub's. */
const PUBLIC = ["src/connector.ts", "src/connector-settings.ts"];

test("connectors import the public modules for connectors and nothing else of ours", () => {
  assert.deepEqual(
    breaking(({ file, target }) =>
      !file.startsWith("connectors/") || target === null ||
      PUBLIC.includes(target) ||
      file === "connectors/index.ts" || isSameConnector(file, target)
    ),
    [],
  );
});

/** One that has a folder of its own may have many files there. */
function isSameConnector(file: string, target: string): boolean {
  const folder = /^connectors\/[^/]+\//.exec(file)?.[0];
  return folder !== undefined && target.startsWith(folder);
}

test("the public modules for connectors need only the nouns, and the first one no package", () => {
  const nouns = ["record", "standard-schema", "value-settings"].map((name) => `src/model/${name}.ts`);
  assert.deepEqual(
    breaking(({ file, target }) => !PUBLIC.includes(file) || nouns.includes(target!)),
    [],
  );
  const settings = (target: string | null) => target === "src/model/value-settings.ts";
  assert.deepEqual(
    breaking(({ file, target }) => file !== "src/connector.ts" || !settings(target)),
    [],
  );
});

test("only entry points import connectors", () => {
  assert.deepEqual(
    breaking(({ file, target }) =>
      !target?.startsWith("connectors/") || isEntry(file) ||
      file.startsWith("connectors/")
    ),
    [],
  );
});

test("intake and reconcile know no database, no HTTP, no runtime", () => {
  const foreign = /^(drizzle-orm|hono|@hono\/|@libsql\/|node:)/;
  assert.deepEqual(
    breaking(({ file, specifier }) => !isPure(file) || !foreign.test(specifier)),
    [],
  );
});

test("intake and reconcile know no clock and no randomness", () => {
  const found = files.filter(isPure).filter((file) => {
    const code = sources.get(file)!.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    return /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bcrypto\b|\bperformance\.|\bsetTimeout\(/
      .test(code);
  });
  assert.deepEqual(found, []);
});

test("the rules of planning set no bits and read no column: reconcile/columns has verbs for that", () => {
  const rules = files.filter((file) =>
    file.startsWith("src/reconcile/") &&
    !file.startsWith("src/reconcile/columns/")
  );
  const found = rules.filter((file) => /\|=|\bknown\.(seen|masks|users|digests|slots)\b/.test(sources.get(file)!));
  assert.deepEqual(found, []);
});

test("only the store imports drizzle; entry points import its drivers", () => {
  // The migrator reads the files of migrations, for a server's batch.
  const driver = /^drizzle-orm\/((sqlite-proxy|d1)(\/migrator)?|migrator)$/;
  assert.deepEqual(
    breaking(({ file, specifier }) =>
      !specifier.startsWith("drizzle-orm") || file.startsWith("src/store/") ||
      (isEntry(file) && driver.test(specifier))
    ),
    [],
  );
});

test("nothing loads native code of a package's, in tests and benches neither", () => {
  const theirs = ["test", "bench"].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => join(folder, name))
  );
  // Of libSQL's client only the one over HTTP, and of ssh2 only what is loaded without its own cryptography.
  const native =
    /\b(?:from|import\()\s*["'](?:libsql|drizzle-orm\/libsql|@libsql\/client(?!\/http["'])|better-sqlite3)/;
  const found = [...files, ...theirs].filter((file) => {
    const code = readFileSync(join(ROOT, file), "utf8");
    return native.test(code) ||
      /^import (?!type\b)[^;]* from "ssh2";$/m.test(code);
  });
  assert.deepEqual(found, []);
});

test("only http imports hono; entry points import its server for Node", () => {
  assert.deepEqual(
    breaking(({ file, specifier }) =>
      !/^(hono|@hono)(\/|$)/.test(specifier) || file.startsWith("src/http/") ||
      (isEntry(file) && specifier.startsWith("@hono/node-server"))
    ),
    [],
  );
});

test("only entry points and the bridge import node:, and only entry points name Deno", () => {
  assert.deepEqual(
    breaking(({ file, specifier }) => !specifier.startsWith("node:") || isEntry(file) || isBridge(file)),
    [],
  );
  const naming = files.filter((file) => !isEntry(file)).filter((file) => {
    const code = sources.get(file)!.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    return /\bDeno\.|\bglobalThis\.Deno\b|\bprocess\.(env|argv|cwd|exit)\b/
      .test(code);
  });
  assert.deepEqual(naming, []);
});

test("the bridge knows nothing of the hub but nouns, and the hub of the bridge only what both agree on", () => {
  const agreed = [
    "src/bridge/contract.ts",
    "src/bridge/places.ts",
    "src/bridge/cadence.ts",
  ];
  const hubs = /^src\/(intake|reconcile)\//;
  assert.deepEqual(
    breaking(({ file, target }) => !isBridge(file) || target === null || !hubs.test(target)),
    [],
  );
  assert.deepEqual(
    breaking(({ file, target }) =>
      target === null || !isBridge(target) || isBridge(file) || isEntry(file) ||
      agreed.includes(target)
    ),
    [],
  );
});

test("specifiers end in .ts, and there are no aliases", () => {
  assert.deepEqual(
    breaking(({ specifier, target }) =>
      target === null || specifier.endsWith(".ts") ||
      target === VERSIONS_OF_NODE
    ),
    [],
  );
  assert.deepEqual(
    breaking(({ specifier }) => !/^(\/|~|#|@\/|src\/|connectors\/)/.test(specifier)),
    [],
  );
});

/** What an older Node reads before it is refused: plain JavaScript, as nothing else is. */
const VERSIONS_OF_NODE = "src/runtime/node-version.js";

test("an older Node reads all that it needs to be refused, and nothing else is JavaScript", () => {
  const plain = files.filter((file) => file.endsWith(".js"));
  assert.deepEqual(plain.toSorted(), ["src/node.js", VERSIONS_OF_NODE]);
  const first = imports.filter(({ file }) => plain.includes(file)).map((
    { specifier },
  ) => specifier);
  // Only the last two are TypeScript, and they are imported once the version is known to be fit.
  assert.deepEqual(first, [
    "node:process",
    "./runtime/node-version.js",
    "./runtime/node-resolve.ts",
    "./cli/node.ts",
  ]);
  assert.match(
    sources.get("src/node.js")!,
    /await import\("\.\/runtime\/node-resolve\.ts"\);\s+await import\("\.\/cli\/node\.ts"\)/,
  );
});

test("nothing is exported again", () => {
  const found = files.filter((file) =>
    /^export\s+(type\s+)?(\*|\{[^}]*\})\s*(as\s+\w+\s+)?from\b/m.test(
      sources.get(file)!,
    )
  );
  assert.deepEqual(found, []);
});

test("every import of ours is of a file that is there", () => {
  assert.deepEqual(
    breaking(({ target }) => target === null || sources.has(target) || target.endsWith(".json")),
    [],
  );
});

test("there are no cycles", () => {
  const after = new Map(
    files.map((
      file,
    ) => [
      file,
      imports.filter((line) => line.file === file).map((l) => l.target!),
    ]),
  );
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: string[]) => {
    if (path.includes(file)) {
      return void cycles.push(
        [...path.slice(path.indexOf(file)), file].join(" → "),
      );
    }
    if (done.has(file)) return;
    for (const next of after.get(file) ?? []) {
      if (next !== null) visit(next, [...path, file]);
    }
    done.add(file);
  };
  for (const file of files) visit(file, []);
  assert.deepEqual(cycles, []);
});
