/** Laws about what a connector says of itself: its settings, credentials and hosts. Nothing is read for them. */
import assert from "node:assert/strict";
import { connectorFaults } from "../../runtime/connector-faults.ts";
import { sampleSettings } from "../../runtime/sample-settings.ts";
import { checkSettings, prepareSettings, settingsSchemaOf } from "../../runs/settings.ts";
import { authOf, hostsOf, requiredSecrets } from "../../sources/auth.ts";
import { isObject } from "../../std/is-object.ts";
import { takes } from "./json-schema.ts";
import type { Law } from "./law.ts";
import type { Subject } from "./subject.ts";

/** Values of each kind, as people and programs send them by mistake. */
const ODD = [null, true, 0, -1, 1.5, 1e9, "", "x", "x".repeat(5_000), [], ["x"], {}, { x: 1 }];

export const SHAPE_LAWS: readonly Law[] = [
  {
    name: "the hub would take it",
    async hold({ connector }) {
      assert.deepEqual(await connectorFaults(connector), []);
    },
  },
  {
    name: "its settings are published, take those of the cases, and refuse a name that they do not know",
    async hold({ connector, cases }) {
      assert.ok(takes(settingsSchemaOf(connector), cases.settings), "the published schema refuses those of the cases");
      assert.deepEqual(await problemsOf({ connector }, cases.settings), [], "the connector refuses those of the cases");
      const more = { ...cases.settings as object, "no such setting": 1 };
      assert.notDeepEqual(await problemsOf({ connector }, more), [], 'it takes a setting "no such setting"');
    },
  },
  {
    name: "settings that cannot be used are refused, at their place",
    applies: ({ refused = [] }) => refused.length > 0,
    async hold({ connector, cases }) {
      for (const { settings, at } of cases.refused ?? []) {
        const places = await problemsOf({ connector }, settings);
        assert.ok(places.includes(at), `${JSON.stringify(settings)} is refused at ${places.join(", ") || "no place"}`);
      }
    },
  },
  {
    name: "what its published schema refuses, it refuses too",
    async hold({ connector, cases }) {
      const schema = settingsSchemaOf(connector);
      const names = Object.keys(isObject(schema.properties) ? schema.properties : {});
      const bases = [cases.settings as object, ...sampleSettings(schema).slice(0, 2)];
      const made = bases.flatMap((base) => [
        ...names.flatMap((name) => ODD.map((odd) => ({ ...base, [name]: odd }))),
        ...names.map((name) => Object.fromEntries(Object.entries(base).filter(([own]) => own !== name))),
      ]);
      const wrong = [...made, null, [], "x", 1].filter((settings) => !takes(schema, settings));
      await prepareSettings(connector, ...wrong);
      for (const settings of wrong) {
        const text = JSON.stringify(settings)?.slice(0, 200);
        assert.ok("issues" in checkSettings(connector, settings), `it takes ${text}, which its JSON Schema refuses`);
      }
    },
  },
  {
    name: "its credentials are secrets that it names, in a way that it lists",
    hold({ connector, settings, cases: { secrets = {} } }) {
      const { kind } = authOf(connector, settings);
      assert.ok((connector.authKinds ?? ["none"]).includes(kind), `"${kind}" is not among its "authKinds"`);
      for (const needed of requiredSecrets(connector, settings)) {
        assert.ok(Object.hasOwn(secrets, needed), `the cases lack the secret "${needed}"`);
      }
      return Promise.resolve();
    },
  },
  {
    name: "its hosts are hosts, and the same for the same settings",
    async hold(subject) {
      const { connector, cases } = subject;
      const hosts = hostsOf(connector, subject.settings);
      // A port of https is none that a URL shows.
      const isHost = (host: string) =>
        [`https://${host}`, `http://${host}`].some((url) => URL.canParse(url) && new URL(url).host === host);
      assert.deepEqual(hosts.filter((host) => !isHost(host)), []);
      const again = await subject.apart({});
      await prepareSettings(again.connector, cases.settings);
      assert.deepEqual(hostsOf(again.connector, again.settings), hosts);
    },
  },
];

/** Places of what is wrong with the settings, as JSON Pointers. */
export async function problemsOf({ connector }: Pick<Subject, "connector">, settings: unknown): Promise<string[]> {
  await prepareSettings(connector, settings);
  const checked = checkSettings(connector, settings);
  return "issues" in checked ? checked.issues.map(({ path }) => path.map((part) => `/${String(part)}`).join("")) : [];
}
