import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { createDial } from "../../../src/runtime/dial.ts";
import { checkRemote } from "../../../src/bridge/remote/check.ts";
import { openPrivateKey } from "../../../src/bridge/remote/private-key.ts";
import { openSession } from "../../../src/bridge/remote/session.ts";
import type { BridgeConnection, Trouble } from "../../../src/bridge/contract.ts";
import { parseAllowHosts } from "../../../src/security/outbound.ts";
import { startOwnServer } from "../../support/own-sftp.ts";
import { connectionTo, dialLoopback, put, QUICK } from "../../support/remote.ts";
import { noSshd, type SshServer, startSshServer } from "../../support/sshd.ts";

const skip = noSshd;
const { signal } = new AbortController();
const target = { dial: dialLoopback, limits: QUICK, signal };
const open = (connection: BridgeConnection) => openSession({ ...target, connection });
const check = (connection: BridgeConnection) => checkRemote({ ...target, connection });

async function logsIn(connection: BridgeConnection): Promise<void> {
  const session = await open(connection);
  await session.whereAmI();
  session.close();
}

const failsWith = (code: Trouble["code"], message: RegExp) => (error: { trouble: Trouble }) => {
  assert.equal(error.trouble?.code, code, String(error));
  assert.match(error.trouble.message, message);
  return true;
};

test("a private key with its passphrase lets in, whatever kind the host key is", { skip }, async (t) => {
  for (const hostKeyType of ["ed25519", "ecdsa", "rsa"]) {
    await logsIn(connectionTo(await startSshServer(t, { hostKeyType })));
  }
});

test("any of a server's keys can be the confirmed one", { skip }, async (t) => {
  for (const [hostKeyType, ...moreHostKeys] of [["rsa", "ed25519", "ecdsa"], ["ecdsa", "ed25519"]]) {
    const server = await startSshServer(t, { hostKeyType: hostKeyType!, moreHostKeys });
    await logsIn(connectionTo(server));
    const other = connectionTo(server, { hostKey: `SHA256:${"A".repeat(43)}` });
    await assert.rejects(open(other), failsWith("host_key_changed", /nothing was sent/));
  }
});

test("private keys of every usual kind and form let in", { skip }, async (t) => {
  const server = await startSshServer(t);
  const home = join(server.folder, "..");
  const kinds = [["rsa", "-b", "2048"], ["ecdsa"], ["ecdsa", "-b", "384"]];
  // Of P-521 Deno knows only what needs no computing: OpenSSH's form, which has the public half too.
  const forms = [[], ["-m", "PEM"], ["-m", "PKCS8"]];
  const combined = kinds.flatMap((kind) => forms.map((form) => [kind, form] as const));
  for (const [i, [kind, form]] of [...combined, [["ecdsa", "-b", "521"], []] as const].entries()) {
    const path = join(home, `key-${i}`);
    const passphrase = i % 2 === 0 ? "" : "correct horse";
    execFileSync("/usr/bin/ssh-keygen", ["-q", "-a", "1", "-t", ...kind, ...form, "-N", passphrase, "-f", path]);
    appendFileSync(join(home, "authorized"), readFileSync(`${path}.pub`));
    const privateKey = readFileSync(path, "utf8");
    await logsIn(connectionTo(server, { secrets: { privateKey, ...(passphrase && { passphrase }) } }));
  }
});

test("ECDSA keys in OpenSSH's form can sign, whatever number they have", { skip }, (t) => {
  const home = mkdtempSync(join(tmpdir(), "muster-keys-"));
  t.after(() => rmSync(home, { recursive: true }));
  // Every other one has a zero before its number.
  for (let i = 0; i < 36; i++) {
    const path = join(home, String(i));
    const bits = ["256", "384", "521"][i % 3]!;
    execFileSync("/usr/bin/ssh-keygen", ["-q", "-t", "ecdsa", "-b", bits, "-N", "", "-f", path]);
    const key = openPrivateKey(readFileSync(path, "utf8"));
    const data = Buffer.from("what is signed");
    assert.ok(key.verify(data, key.sign(data)));
  }
});

test("a private key whose passphrase is wrong or missing is reported before anything is sent", { skip }, async (t) => {
  const server = await startSshServer(t);
  const { privateKey } = server;
  for (const passphrase of ["wrong", undefined]) {
    await assert.rejects(
      open(connectionTo(server, { port: 1, secrets: { privateKey, passphrase } })),
      failsWith("secrets_required", /^The private key cannot be opened \(.*\): set it and its passphrase$/),
    );
  }
  await assert.rejects(open(connectionTo(server, { secrets: {} })), failsWith("secrets_required", /set one of them/));
});

test("a password lets in, and a wrong one is reported without the password", {
  skip: skip ||
    (process.getuid!() === 0 && existsSync("/usr/bin/openssl")
      ? false
      : "only root can give sshd's user a password, with openssl"),
}, async (t) => {
  const server = await startSshServer(t, { password: "tr0ub4dor" });
  await logsIn(connectionTo(server, { secrets: { password: "tr0ub4dor" } }));
  await assert.rejects(open(connectionTo(server, { secrets: { password: "xyzzy-wrong" } })), (error: Error) => {
    assert.doesNotMatch(`${error.message} ${error.stack}`, /xyzzy/);
    return failsWith("login_refused", /^"sftp\.example\.com" does not let ".*" in/)(error as never);
  });
});

test("a server that asks for the password in a dialogue gets it, and one that asks for more gets nothing", async (t) => {
  for (
    const [prompts, answers] of [
      [["Password: "], ["tr0ub4dor"]],
      [["Password: ", "Code: "], ["", ""]],
    ]
  ) {
    const heard: string[][] = [];
    const server = await startOwnServer(t, (context) => {
      if (context.method !== "keyboard-interactive") return context.reject(["keyboard-interactive"]);
      context.prompt(prompts!.map((prompt) => ({ prompt, echo: false })), (answers) => {
        heard.push(answers);
        if (answers[0] === "tr0ub4dor") context.accept();
        else context.reject([]);
      });
    });
    const connection = connectionTo(server, { secrets: { password: "tr0ub4dor" }, folder: "/" });
    if (answers![0] !== "") await logsIn(connection);
    else await assert.rejects(open(connection), failsWith("login_refused", /does not let/));
    assert.deepEqual(heard, [answers]);
  }
});

test("before the host key is confirmed a check shows it, and no user name and no secret is sent", async (t) => {
  const asked: string[] = [];
  const server = await startOwnServer(t, (context) => {
    asked.push(context.method);
    context.accept();
  });
  const connection = connectionTo(server, { hostKey: null, secrets: { password: "tr0ub4dor" }, folder: "/" });
  assert.deepEqual(await check(connection), {
    ok: false,
    detail: `"sftp.example.com" shows the host key ${server.hostKey}: compare it with what its owner says, ` +
      "then set it as host_key",
    found: { host_key: server.hostKey },
  });
  await assert.rejects(open(connection), failsWith("host_key_unconfirmed", /is not confirmed: run a check/));
  assert.deepEqual(asked, []);
});

test("a host key that is not the confirmed one is an error, and nothing is sent to the server that shows it", async (t) => {
  const asked: string[] = [];
  const server = await startOwnServer(t, (context) => {
    asked.push(context.method);
    context.accept();
  });
  const hostKey = `SHA256:${"A".repeat(43)}`;
  const connection = connectionTo(server, { hostKey, secrets: { password: "tr0ub4dor" }, folder: "/" });
  await assert.rejects(
    open(connection),
    failsWith("host_key_changed", /^"sftp\.example\.com" shows the host key SHA256:.*nothing was sent\. Ask its owner/),
  );
  const { ok, found } = await check(connection);
  assert.deepEqual([ok, found], [false, { host_key: server.hostKey }]);
  assert.deepEqual(asked, []);
});

test("a check counts the files that would be taken, and writes nothing", { skip }, async (t) => {
  const server = await startSshServer(t, { sftp: "-R" });
  put(server, "users.csv", "x");
  put(server, ".users.csv", "x");
  put(server, "notes.docx", "x");
  const result = await check(connectionTo(server));
  assert.deepEqual([result.ok, result.found], [true, { host_key: server.hostKey, files: 1 }]);
  const missing = await check(connectionTo(server, { folder: "/nowhere" }));
  assert.deepEqual([missing.ok, missing.found], [false, { host_key: server.hostKey }]);
  assert.match(missing.detail, /^There is no folder "\/nowhere"; the log-in begins in/);
  const refused = await check(connectionTo(server, { username: "nobody-here" }));
  assert.match(refused.detail, /does not let "nobody-here" in/);
});

test("a server with nothing but old algorithms is refused", { skip }, async (t) => {
  for (
    const line of [
      "KexAlgorithms diffie-hellman-group14-sha1",
      "Ciphers aes128-cbc",
      "MACs hmac-sha1",
    ]
  ) {
    const config = line.startsWith("MACs") ? [line, "Ciphers aes128-ctr"] : [line];
    const server = await startSshServer(t, { config });
    await assert.rejects(
      open(connectionTo(server)),
      failsWith("failed", /^Cannot speak SSH with .* no matching/),
      line,
    );
  }
  const rsa = await startSshServer(t, { hostKeyType: "rsa", config: ["HostKeyAlgorithms ssh-rsa"] });
  await assert.rejects(open(connectionTo(rsa)), failsWith("failed", /no matching host key/i));
});

test(
  "the server is dialled past the outbound gate, on the address that its name leads to at that moment",
  { skip },
  async (t) => {
    const server = await startSshServer(t);
    const through = (allow: string, address: string) => {
      const dial = createDial(parseAllowHosts(allow).allow, () => Promise.resolve([{ address, family: 4 }]));
      return openSession({ ...target, dial, connection: connectionTo(server) }).then((session) => session.close());
    };
    await assert.rejects(
      through("", "127.0.0.1"),
      failsWith("refused_address", /^Not called: "sftp\.example\.com" leads to an address of a private network/),
    );
    await assert.rejects(through("", "169.254.169.254"), failsWith("refused_address", /private network/));
    await through("127.0.0.0/8", "127.0.0.1");
    await through("sftp.example.com", "127.0.0.1");
    // Where the operator says that it is, whatever a resolver says.
    await through(`sftp.example.com=127.0.0.1:${server.port}`, "192.0.2.1");
  },
);

test("a host that is a number, or no host at all, is judged as it is written", async (t) => {
  const dial = createDial(parseAllowHosts("").allow, () => assert.fail("nothing is resolved"));
  for (const host of ["127.0.0.1", "::1", "0x7f.1", "2130706433", "localhost", "10.0.0.1", "[::ffff:127.0.0.1]"]) {
    await assert.rejects(dial(host, 22, signal), { name: "OutboundRefused" }, host);
  }
  for (const host of ["a@b.example.com", "example.com/x", "example.com#", "", "a b"]) {
    await assert.rejects(dial(host, 22, signal), /is not a host|private/, host);
  }
  assert.ok(t);
});

test("a server that is not there, that sends nothing, or that speaks another protocol is reported in time", async (t) => {
  const { createServer } = await import("node:net");
  const listen = async (greet: string | null) => {
    const sockets = new Set<import("node:net").Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      if (greet !== null) socket.write(greet);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  };
  const login = { hostKey: `SHA256:${"A".repeat(43)}`, secrets: { password: "x" } };
  const to = (port: number) => connectionTo({ folder: "/" } as SshServer, { ...login, port, username: "hr" });
  const limits = { ...QUICK, logInMs: 300 };
  await assert.rejects(open(to(1)), failsWith("unreachable", /^Cannot reach "sftp\.example\.com" at port 1: /));
  await assert.rejects(
    openSession({ ...target, connection: to(await listen(null)), limits }),
    failsWith("timed_out", /it took too long to log in/),
  );
  await assert.rejects(
    openSession({ ...target, connection: to(await listen("HTTP/1.1 400 Bad Request\r\n\r\n")), limits }),
    (error: { trouble: Trouble }) => ["failed", "timed_out", "unreachable"].includes(error.trouble.code),
  );
});

test("a server that talks without end before it lets in is hung up on, long before its time is over", async () => {
  const line = Buffer.from(`${"words ".repeat(100)}\r\n`);
  const server = createServer((socket) => {
    socket.on("error", () => {}).resume();
    const timer = setInterval(() => socket.write(Buffer.alloc(line.length * 50, line)), 1);
    socket.once("close", () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const hostKey = `SHA256:${"A".repeat(43)}`;
  const to = connectionTo({ port, username: "hr", folder: "/", hostKey } as SshServer, { secrets: { password: "x" } });
  try {
    await assert.rejects(open(to), failsWith("failed", /sends more than it was asked for/));
  } finally {
    server.close();
  }
});
