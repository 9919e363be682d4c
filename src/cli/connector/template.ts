/** The files of a new connector: one that works, for an invented source, to be changed into one for yours. Pure. */

export interface Template {
  /** Lower-case words joined by `-`. */
  readonly name: string;
  /** Of `@muster-hub/connector` and `@muster-hub/testing`, by name of the package: what package.json names. */
  readonly packages: Readonly<Record<string, string>>;
}

/** By path in the folder. */
export function filesOf(template: Template): Readonly<Record<string, string>> {
  return {
    "package.json": manifestOf(template),
    "connector.ts": connectorOf(template),
    "connector.test.js": testOf(),
    "tsconfig.json": TSCONFIG,
    "README.md": readmeOf(template),
    ".gitignore": "node_modules/\n",
  };
}

function titleOf({ name }: Template): string {
  return name.split("-").map((word) => word[0]!.toUpperCase() + word.slice(1)).join(" ");
}

function manifestOf({ name, packages }: Template): string {
  const manifest = {
    name: `muster-connector-${name}`,
    version: "0.1.0",
    private: true,
    type: "module",
    exports: "./connector.ts",
    files: ["connector.ts"],
    scripts: { test: "node --test" },
    dependencies: { zod: "^4.0.0" },
    devDependencies: packages,
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

function connectorOf(template: Template): string {
  return `import { defineConnector, expectOk, SourceFault } from "@muster-hub/connector";
import { z } from "zod";

export default defineConnector({
  api: 1,
  name: "${template.name}",
  version: "0.1.0",
  title: "${titleOf(template)}",
  input: "fetch",
  coverage: { users: "full" },
  // What an admin fills in. The catalogue shows it as a form.
  settings: z.strictObject({
    host: z.string().regex(/^[a-z0-9.-]+(:\\d+)?$/).meta({ description: "Such as hr.example.com" }),
  }),
  // Secrets stay in the hub, which adds them to each request.
  secrets: { token: { title: "API token" } },
  authKinds: ["bearer"],
  auth: () => ({ kind: "bearer", token: { secret: "token" } }),
  // The only hosts that can be reached.
  hosts: ({ host }) => [host],
  schedule: { every_minutes: 60 },
  // The source's names, and the hub's fields.
  mapping: { id: "source_id", mail: "email", first: "first_name", last: "last_name", job: "title" },
  key: "source_id",

  async *fetch({ settings, fetch }) {
    for (let page = 1, pages = 1; page <= pages; page++) {
      const response = expectOk(await fetch(\`https://\${settings.host}/people?page=\${page}\`), "people");
      const body = await response.json() as { page?: number; pages?: number; people?: Record<string, string>[] };
      // An answer without the list is no empty list: everybody would be missing.
      if (!Array.isArray(body.people) || typeof body.pages !== "number" || body.page !== page) {
        throw new SourceFault("answer", "The answer has no page of people");
      }
      pages = body.pages;
      yield { origin: \`/people, page \${page}\`, records: body.people };
    }
  },
});
`;
}

function testOf(): string {
  return `import { testConnector } from "@muster-hub/testing";

/** The source as it answers, two people a page: replace it by yours. */
const PEOPLE = [
  { id: "1", mail: "ana@example.com", first: "Ana", last: "Sol", job: "Lead" },
  { id: "2", mail: "bo@example.com", first: "Bo", last: "Lund", job: "Engineer" },
  { id: "3", mail: "cy@example.com", first: "Cy", last: "Wang", job: "Engineer" },
];

function source(request) {
  if (request.headers.get("authorization") !== "Bearer the-token-of-the-test") return new Response(null, { status: 401 });
  const page = Number(new URL(request.url).searchParams.get("page"));
  return Response.json({ page, pages: 2, people: PEOPLE.slice((page - 1) * 2, page * 2) });
}

testConnector(new URL("./connector.ts", import.meta.url), {
  settings: { host: "hr.example.com" },
  refused: [{ settings: { host: "https://hr.example.com" }, at: "/host" }],
  secrets: { token: "the-token-of-the-test" },
  source,
  // What the hub is to know of them.
  records: PEOPLE.map(({ id, mail, first, last, job }) => ({
    source_id: id,
    email: mail,
    first_name: first,
    last_name: last,
    title: job,
  })),
});
`;
}

const TSCONFIG = `${
  JSON.stringify(
    {
      compilerOptions: {
        target: "ES2022",
        lib: ["ES2023", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
        types: [],
        module: "NodeNext",
        noEmit: true,
        strict: true,
        skipLibCheck: true,
      },
      files: ["connector.ts"],
    },
    null,
    2,
  )
}\n`;

function readmeOf(template: Template): string {
  return `# ${titleOf(template)}

A connector for Muster.

\`\`\`sh
npm install
npm test
\`\`\`

\`npm test\` tries it with all laws that a connector keeps to, in the process without permissions that a hub runs it in. It
needs Node 22.16, Node 24 or later, and Deno, of which \`npm install --save-dev deno\` brings one.
`;
}
