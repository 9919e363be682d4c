/** Certificates for servers of tests, made by `openssl` when they are needed: an authority, and what it vouches for. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { without } from "./programs.ts";

const OPENSSL = "/usr/bin/openssl";

export const WITHOUT_OPENSSL = without(OPENSSL, "openssl");

export interface Authority {
  /** Its own certificate, for whoever is to trust it: a file, until `remove`. */
  readonly file: string;
  /** A key and a certificate for a server of this name or address. */
  vouchFor(name: string): { readonly key: string; readonly cert: string };
  remove(): void;
}

export function createAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), "muster-ca-"));
  const path = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync(OPENSSL, args, { cwd: folder, stdio: "pipe" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-batch"];
  openssl(
    "req",
    "-x509",
    "-days",
    "2",
    ...newKey,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-subj",
    "/CN=Test authority",
  );
  return {
    file: path("ca.pem"),
    vouchFor(name) {
      openssl("req", ...newKey, "-keyout", "server.key", "-out", "server.csr", "-subj", `/CN=${name}`);
      writeFileSync(
        path("server.cnf"),
        `basicConstraints=critical,CA:FALSE\nsubjectAltName=${isIP(name) ? "IP" : "DNS"}:${name}\n`,
      );
      const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "server.cnf"];
      openssl("x509", "-req", "-in", "server.csr", "-out", "server.pem", ...by);
      return { key: readFileSync(path("server.key"), "utf8"), cert: readFileSync(path("server.pem"), "utf8") };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
