import assert from "node:assert/strict";
import test from "node:test";
import { clientAddress } from "../../src/security/client-address.ts";
import { createLimiter, createRates, networkOf } from "../../src/security/rates.ts";

test("a quota can be used at once, and comes back evenly over its window", () => {
  const limiter = createLimiter(60, 60_000);
  for (let i = 0; i < 60; i++) assert.equal(limiter.take("a", 0).remaining, 59 - i);
  assert.deepEqual(limiter.take("a", 0), { allowed: false, remaining: 0, resetS: 60, retryAfterS: 1 });
  assert.equal(limiter.take("b", 0).allowed, true, "another key has its own");
  assert.equal(limiter.take("a", 999).allowed, false);
  assert.equal(limiter.take("a", 1_000).allowed, true);
  assert.equal(limiter.take("a", 1_000).allowed, false);
  assert.equal(limiter.look("a", 31_000).remaining, 30);
  assert.equal(limiter.take("a", 3_600_000).remaining, 59, "never more than the quota");
});

test("asking while there is nothing costs nothing, and a clock that is set back gives nothing", () => {
  const limiter = createLimiter(1, 10_000);
  assert.equal(limiter.take("a", 5_000).allowed, true);
  for (let i = 0; i < 100; i++) assert.equal(limiter.take("a", 5_000).retryAfterS, 10);
  assert.equal(limiter.take("a", 0).allowed, false);
  assert.equal(limiter.take("a", 15_000).allowed, true);
});

test("it remembers a bounded number of keys, those that were heard of last", () => {
  const limiter = createLimiter(2, 60_000, 3);
  for (const key of ["a", "b", "c", "a", "d"]) limiter.take(key, 0);
  assert.equal(limiter.look("a", 0).remaining, 0);
  assert.equal(limiter.look("b", 0).remaining, 2, "the one that was silent longest is as new");
  const { welcome } = createRates({ requests: 1, logins: 1 }, () => 0);
  for (let i = 0; i <= 10_000; i++) welcome.add(String(i), `${i}`);
  assert.deepEqual(["0", "1", "10000"].map(welcome.whose), [undefined, "1", "10000"]);
});

test("no limit is no limiter", () => {
  const { requests, logins } = createRates({ requests: 0, logins: 0 }, () => 0);
  assert.deepEqual([requests, logins], [null, null]);
});

test("an address of IPv4 counts for itself, one of IPv6 for its network", () => {
  assert.equal(networkOf("192.0.2.7"), "192.0.2.7");
  assert.equal(networkOf("::ffff:192.0.2.7"), "192.0.2.7");
  assert.equal(networkOf("2001:db8:1:2:3:4:5:6"), networkOf("2001:0DB8:1:2::9"));
  assert.equal(networkOf("2001:db8::1"), "2001:db8:0:0");
  assert.equal(networkOf("::1"), "0:0:0:0");
  assert.equal(networkOf("fe80::1%eth0"), "fe80:0:0:0");
  assert.notEqual(networkOf("2001:db8:1:2::"), networkOf("2001:db8:1:3::"));
});

test("behind a proxy the last address in its header counts: those before it are the client's own words", () => {
  const headers = new Headers({ "x-forwarded-for": "10.9.9.9, 192.0.2.7" });
  assert.equal(clientAddress(headers, "X-Forwarded-For", "127.0.0.1"), "192.0.2.7");
  assert.equal(clientAddress(headers, null, "127.0.0.1"), "127.0.0.1");
  assert.equal(clientAddress(new Headers(), "X-Forwarded-For", "127.0.0.1"), "127.0.0.1");
  const one = (address: string) => clientAddress(new Headers({ "x-real-ip": address }), "x-real-ip", null);
  assert.equal(one("[2001:db8::1]:443"), "2001:db8::1");
  assert.equal(one("192.0.2.7:50123"), "192.0.2.7");
  assert.equal(one("2001:db8::1"), "2001:db8::1");
});
