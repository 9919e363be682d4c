import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { parseConfig, SETTINGS } from "../../src/runtime/config.ts";
import { createMasterKeyText } from "../../src/security/secrets.ts";

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
    masterKeys: [],
    publicUrl: null,
    connectors: [],
    retainDays: 30,
    backup: null,
    sftpPort: 2222,
    sftpDir: "./data/sftp",
    sftpAddress: null,
    sftpQuota: { bytes: 4 * 1024 ** 3, files: 10_000 },
    allowHosts: "",
    smtpUrl: null,
    mailFrom: null,
    openid: null,
    rateLimit: 6000,
    loginLimit: 60,
    maxConnections: 0,
    addressHeader: null,
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

test("every setting is in the help and in the documents", async () => {
  const { HELP } = await import("../../src/cli/help.ts");
  const docs = new URL("../../docs/", import.meta.url);
  const files = [new URL("../../README.md", import.meta.url), ...readdirSync(docs).map((name) => new URL(name, docs))];
  const texts = files.filter(({ pathname }) => pathname.endsWith(".md")).map((file) => readFileSync(file, "utf8"))
    .join();
  for (const name of SETTINGS) {
    assert.match(HELP, new RegExp(`\\b${name}\\b`));
    assert.ok(texts.includes(`\`${name}\``), `${name} is in no document`);
  }
});

test("a master key is taken as it is, and one that is none is not repeated", () => {
  const keys = [createMasterKeyText(), createMasterKeyText()];
  const both = { MUSTER_MASTER_KEY: keys[0], MUSTER_MASTER_KEY_PREVIOUS: keys[1] };
  assert.deepEqual(parseConfig(both).config?.masterKeys, keys);
  assert.deepEqual(parseConfig({ MUSTER_MASTER_KEY: `${keys[0]}=` }).problems, [
    "MUSTER_MASTER_KEY is not a key: it should be 32 bytes as base64url: 43 letters, digits, - and _",
  ]);
  assert.deepEqual(parseConfig({ MUSTER_MASTER_KEY_PREVIOUS: keys[1] }).problems, [
    "MUSTER_MASTER_KEY_PREVIOUS is set and MUSTER_MASTER_KEY is not: it should be the new key",
  ]);
});

test("every problem is reported at once, with the variable's name", () => {
  const { config, problems } = parseConfig({
    PORT: "70000",
    DATABASE_URL: "postgres://muster:secret@db/muster",
    MUSTER_PUBLIC_URL: "people.example.com",
    MUSTER_RETAIN_DAYS: "a month",
  });
  assert.equal(config, null);
  assert.deepEqual(problems, [
    "DATABASE_URL is not the address of a database: it should begin with file:, libsql: or https:",
    'PORT is "70000": it should be a whole number from 0 to 65535',
    'MUSTER_PUBLIC_URL is "people.example.com": it should be an address like https://muster.example.com',
    'MUSTER_RETAIN_DAYS is "a month": it should be a whole number from 1 to 3650',
  ]);
});

test("an unknown MUSTER_ variable is reported, with the name that it is near to", () => {
  const { config, warnings } = parseConfig({ MUSTER_RETAIN_DAY: "7", MUSTER_COLOUR: "blue" });
  assert.notEqual(config, null);
  assert.deepEqual(warnings, [
    "MUSTER_COLOUR is not a setting of Muster",
    "MUSTER_RETAIN_DAY is not a setting of Muster: did you mean MUSTER_RETAIN_DAYS?",
  ]);
});

const KEY = {
  AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
  AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};

test("backups go into a folder, or into a bucket with the key that other tools read, too", () => {
  assert.deepEqual(parseConfig({ MUSTER_BACKUP: "/var/backups/muster" }).config?.backup, {
    place: { kind: "folder", dir: "/var/backups/muster" },
    keep: 14,
  });
  const bucketOf = (address: string, more = {}) => {
    const { config, problems } = parseConfig({ ...KEY, ...more, MUSTER_BACKUP: address });
    assert.deepEqual(problems, []);
    return config!.backup!.place;
  };
  assert.deepEqual(bucketOf("s3://acme-backups/hubs/muster/?endpoint=https://s3.example.com:9000/&region=eu-1"), {
    kind: "bucket",
    endpoint: "https://s3.example.com:9000",
    region: "eu-1",
    bucket: "acme-backups",
    prefix: "hubs/muster/",
    search: "?endpoint=https://s3.example.com:9000/&region=eu-1",
    key: {
      accessKeyId: KEY.AWS_ACCESS_KEY_ID,
      secretAccessKey: KEY.AWS_SECRET_ACCESS_KEY,
      sessionToken: null,
    },
  });
  const amazon = bucketOf("s3://acme-backups?region=eu-west-1", {
    AWS_SESSION_TOKEN: "for a time".replaceAll(" ", "-"),
  });
  assert.ok(amazon.kind === "bucket");
  assert.deepEqual([amazon.endpoint, amazon.prefix, amazon.key.sessionToken], [
    "https://s3.eu-west-1.amazonaws.com",
    "",
    "for-a-time",
  ]);
  for (const host of ["localhost", "127.0.0.1:9000", "[::1]:9000"]) bucketOf(`s3://acme/x?endpoint=http://${host}`);
});

test("an address of a bucket that cannot be used is refused before the start, and no key is repeated", () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    [
      "s3://AKIAIOSFODNN7EXAMPLE:hush@acme-backups/x",
      /^MUSTER_BACKUP is not the address of a bucket: .* without a key/,
    ],
    ["s3://acme-backups/x?accesskey=hush", /^MUSTER_BACKUP has "accesskey", which is not known/],
    ["s3://Acme_Backups/x", /^MUSTER_BACKUP has the bucket "Acme_Backups"/],
    ["s3://acme-backups/a b", /^MUSTER_BACKUP has the prefix/],
    ["s3://acme-backups/x?endpoint=s3.example.com", /^MUSTER_BACKUP has an endpoint that is no URL/],
    ["s3://acme-backups/x?endpoint=https://k:hush@s3.example.com", /^MUSTER_BACKUP has an endpoint that has more than/],
    [
      "s3://acme-backups/x?endpoint=http://s3.example.com",
      /^MUSTER_BACKUP has an endpoint that begins with http:\/\/, which is for this machine alone: it should be https:\/\/s3\.example\.com$/,
    ],
    ["gs://acme-backups/x", /^MUSTER_BACKUP begins with "gs:\/\/", where no backup can be/],
  ];
  for (const [address, problem] of refused) {
    const { config, problems } = parseConfig({ ...KEY, MUSTER_BACKUP: address });
    assert.equal(config, null, address);
    assert.equal(problems.length, 1, problems.join());
    assert.match(problems[0]!, problem);
    assert.ok(!problems[0]!.includes("hush"));
  }
  assert.deepEqual(parseConfig({ MUSTER_BACKUP: "s3://acme-backups" }).problems, [
    "AWS_ACCESS_KEY_ID is not set: a bucket for backups needs it",
    "AWS_SECRET_ACCESS_KEY is not set: a bucket for backups needs it",
  ]);
  const twoLines = { ...KEY, AWS_SECRET_ACCESS_KEY: "hush\nhush", MUSTER_BACKUP: "s3://acme-backups" };
  assert.deepEqual(parseConfig(twoLines).problems, [
    "AWS_SECRET_ACCESS_KEY has characters that no key has: it should be one word",
  ]);
  assert.match(
    parseConfig({ DATABASE_URL: "libsql://db.example.com", MUSTER_BACKUP: "/var/backups" }).problems.join(),
    /MUSTER_BACKUP is for a database that is a file/,
  );
});

test("a first token that is none is a problem like the others, and is not repeated", () => {
  const { config, problems } = parseConfig({ PORT: "abc", MUSTER_ADMIN_TOKEN: "mus_secret" });
  assert.equal(config, null);
  assert.equal(problems.length, 2);
  assert.match(problems[1]!, /^MUSTER_ADMIN_TOKEN is not a token: it should be "mus_"/);
  assert.ok(!problems.join().includes("secret"));
});

test("a mail server needs a sender, and neither's password is repeated", () => {
  const mail = (SMTP_URL: string, MAIL_FROM?: string) => parseConfig({ SMTP_URL, MAIL_FROM }).problems;
  assert.deepEqual(mail("smtps://muster:secret@mail.example.com:465", "Muster <muster@example.com>"), []);
  assert.deepEqual(mail("smtp://127.0.0.1:2525", "muster@example.com"), []);
  assert.deepEqual(mail("smtp://127.0.0.1:2525"), [
    "MAIL_FROM is not set: it should be the address that mails come from, like muster@example.com",
  ]);
  for (const url of ["mail.example.com", "https://muster:secret@mail.example.com"]) {
    const [problem] = mail(url, "muster@example.com");
    assert.match(problem!, /^SMTP_URL is not the address of a mail server/);
    assert.doesNotMatch(problem!, /secret/);
  }
  for (
    const from of ["muster", "a@example.com, b@example.com", "Muster <muster>", "Muster\nBcc: x@example.com <a@b.c>"]
  ) {
    assert.match(mail("smtp://127.0.0.1", from)[0]!, /^MAIL_FROM is "/, from);
  }
});

test("a mail server without a public address is refused where others reach the hub, and warned of elsewhere", () => {
  const mail = { SMTP_URL: "smtp://mail.example.com", MAIL_FROM: "muster@example.com" };
  const sentence = /^SMTP_URL is set and MUSTER_PUBLIC_URL is not: .* like https:\/\/muster\.example\.com$/;
  for (const HOST of [undefined, "127.0.0.1", "127.1.2.3", "localhost", "::1"]) {
    const { config, warnings } = parseConfig({ ...mail, HOST });
    assert.notEqual(config, null, HOST);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, sentence);
  }
  for (const HOST of ["0.0.0.0", "::", "192.0.2.7", "hub.example.com"]) {
    const { config, problems } = parseConfig({ ...mail, HOST });
    assert.equal(config, null, HOST);
    assert.match(problems[0]!, sentence);
    const good = parseConfig({ ...mail, HOST, MUSTER_PUBLIC_URL: "https://muster.example.com" });
    assert.deepEqual([good.problems, good.warnings], [[], []]);
    assert.deepEqual(parseConfig({ HOST }).problems, [], "no mail, no links");
  }
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

test("limits are numbers, 0 for none, and a proxy's header is a name", () => {
  const set = { MUSTER_RATE_LIMIT: "0", MUSTER_LOGIN_LIMIT: "5", MUSTER_ADDRESS_HEADER: "X-Forwarded-For" };
  const { config, warnings } = parseConfig(set);
  assert.deepEqual(warnings, []);
  assert.deepEqual([config?.rateLimit, config?.loginLimit, config?.addressHeader], [0, 5, "X-Forwarded-For"]);
  assert.deepEqual(parseConfig({ MUSTER_RATE_LIMIT: "lots", MUSTER_ADDRESS_HEADER: "a b" }).problems, [
    'MUSTER_RATE_LIMIT is "lots": it should be a whole number from 0 to 10000000',
    'MUSTER_ADDRESS_HEADER is "a b": it should be the name of a header, like X-Forwarded-For',
  ]);
});

test("an OpenID issuer that the outbound gate would refuse is a problem at the start", () => {
  const openid = { OIDC_ISSUER: "http://login.acme.test", OIDC_AUDIENCE: "muster", OIDC_ORGANIZATION_CLAIM: "org" };
  assert.deepEqual(parseConfig(openid).problems, [
    'OIDC_ISSUER is "http://login.acme.test", which is not called: MUSTER_ALLOW_HOSTS should name its host',
  ]);
  assert.deepEqual(parseConfig({ ...openid, MUSTER_ALLOW_HOSTS: "login.acme.test" }).problems, []);
});

test("exceptions from the outbound gate are checked like every other setting", () => {
  const written = "hooks.acme.test, 10.0.0.0/8 pinned.acme.test=127.0.0.1:9999";
  assert.equal(parseConfig({ MUSTER_ALLOW_HOSTS: written }).config?.allowHosts, written);
  assert.deepEqual(parseConfig({ MUSTER_ALLOW_HOSTS: "10.0.0.0/8,http://x" }).problems, [
    'MUSTER_ALLOW_HOSTS has "http://x": it should be a name, a block like 10.0.0.0/8, name:8443, or name=127.0.0.1:9999',
  ]);
});

test("the address that customers reach the SFTP server at is a host, with a port or without", () => {
  const read = (value: string) => parseConfig({ MUSTER_SFTP_ADDRESS: value });
  assert.deepEqual(read("sftp.example.com").config?.sftpAddress, { host: "sftp.example.com", port: null });
  assert.deepEqual(read("sftp.example.com:22").config?.sftpAddress, { host: "sftp.example.com", port: 22 });
  for (const wrong of ["sftp://sftp.example.com", "sftp.example.com:0", "sftp.example.com:70000", "a b"]) {
    assert.match(read(wrong).problems.join(), /^MUSTER_SFTP_ADDRESS is .*: it should be a host/, wrong);
  }
});

test("what may wait to be taken over SFTP is a number of MiB and of files, each within reason", () => {
  const read = (env: Record<string, string>) => parseConfig(env);
  assert.deepEqual(read({}).config!.sftpQuota, { bytes: 4 * 1024 ** 3, files: 10_000 });
  const settings = read({ MUSTER_SFTP_QUOTA_MIB: "1", MUSTER_SFTP_QUOTA_FILES: "3" });
  assert.deepEqual([settings.config!.sftpQuota, settings.warnings], [{ bytes: 1024 ** 2, files: 3 }, []]);
  const { problems } = read({ MUSTER_SFTP_QUOTA_MIB: "0", MUSTER_SFTP_QUOTA_FILES: "1000000" });
  assert.equal(problems.length, 2);
  assert.match(problems.join("\n"), /^MUSTER_SFTP_QUOTA_MIB is "0".*\nMUSTER_SFTP_QUOTA_FILES is "1000000"/);
});
