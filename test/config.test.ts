import assert from "node:assert/strict";
import test from "node:test";
import { parseConfig } from "../src/config.ts";

test("an empty environment has a setting for everything", () => {
  const { config, problems, warnings } = parseConfig({ PATH: "/usr/bin", PORT: "" });
  assert.deepEqual(problems, []);
  assert.deepEqual(warnings, []);
  assert.deepEqual(config, {
    host: "127.0.0.1",
    port: 8787,
    dataDir: "./data",
    databaseUrl: "file:./data/muster.db",
    databaseAuthToken: null,
    adminToken: null,
    publicUrl: null,
    connectors: [],
    retainDays: 30,
    openid: null,
  });
});

test("settings are read as they are meant", () => {
  const { config } = parseConfig({
    HOST: "0.0.0.0",
    PORT: "0",
    MUSTER_DATA_DIR: "/var/lib/muster",
    MUSTER_PUBLIC_URL: "https://people.example.com/hub/",
    MUSTER_CONNECTORS: "./workday.ts, npm:acme-payroll",
    MUSTER_RETAIN_DAYS: "7",
  });
  assert.equal(config?.host, "0.0.0.0");
  assert.equal(config?.port, 0);
  assert.equal(config?.databaseUrl, "file:/var/lib/muster/muster.db");
  assert.equal(config?.publicUrl, "https://people.example.com/hub");
  assert.deepEqual(config?.connectors, ["./workday.ts", "npm:acme-payroll"]);
  assert.equal(config?.retainDays, 7);
});

test("every problem is said at once, with the variable's name", () => {
  const { config, problems } = parseConfig({
    PORT: "70000",
    DATABASE_URL: "postgres://muster:secret@db/muster",
    MUSTER_PUBLIC_URL: "people.example.com",
    MUSTER_RETAIN_DAYS: "a month",
  });
  assert.equal(config, null);
  assert.deepEqual(problems, [
    "DATABASE_URL is no address of a database: it should begin with file:, libsql: or https:",
    'PORT is "70000": it should be a whole number from 0 to 65535',
    'MUSTER_PUBLIC_URL is "people.example.com": it should be an address like https://muster.example.com',
    'MUSTER_RETAIN_DAYS is "a month": it should be a whole number from 1 to 3650',
  ]);
});

test("an unknown MUSTER_ variable is said, with the name that it is near to", () => {
  const { config, warnings } = parseConfig({ MUSTER_RETAIN_DAY: "7", MUSTER_COLOUR: "blue" });
  assert.notEqual(config, null);
  assert.deepEqual(warnings, [
    "MUSTER_COLOUR is no setting of Muster",
    "MUSTER_RETAIN_DAY is no setting of Muster: did you mean MUSTER_RETAIN_DAYS?",
  ]);
});

test("a first token that is none is a problem like the others, and is not repeated", () => {
  const { config, problems } = parseConfig({ PORT: "abc", MUSTER_ADMIN_TOKEN: "mus_secret" });
  assert.equal(config, null);
  assert.equal(problems.length, 2);
  assert.match(problems[1]!, /^MUSTER_ADMIN_TOKEN is no token: it should be "mus_"/);
  assert.ok(!problems.join().includes("secret"));
});

test("an OpenID issuer is set as a whole or not at all", () => {
  const whole = {
    OIDC_ISSUER: "https://login.example.com/",
    OIDC_AUDIENCE: "muster",
    OIDC_ORGANIZATION_CLAIM: "org",
  };
  // The slash at its end is part of the issuer's name.
  assert.deepEqual(parseConfig(whole).config?.openid, {
    issuer: "https://login.example.com/",
    audience: "muster",
    organizationClaim: "org",
    operators: [],
  });
  assert.deepEqual(parseConfig({ ...whole, OIDC_OPERATORS: "ana, bo" }).config?.openid?.operators, ["ana", "bo"]);
  assert.deepEqual(parseConfig({ OIDC_OPERATORS: "ana", PORT: "x" }).problems, [
    'PORT is "x": it should be a whole number from 0 to 65535',
    "OIDC_ISSUER is missing: it should be set, as OIDC_OPERATORS is",
    "OIDC_AUDIENCE is missing: it should be set, as OIDC_OPERATORS is",
    "OIDC_ORGANIZATION_CLAIM is missing: it should be set, as OIDC_OPERATORS is",
  ]);
  assert.deepEqual(parseConfig({ ...whole, OIDC_ISSUER: "login.example.com" }).problems, [
    'OIDC_ISSUER is "login.example.com": it should be an address like https://login.example.com',
  ]);
});
