/** GnuPG itself, with a home and keys of its own, for tests of what other people's programs encrypt. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { without } from "./programs.ts";

const GPG = "/usr/bin/gpg";

export const WITHOUT_GPG = without(GPG, "gnupg");

if (WITHOUT_GPG !== false) console.warn(`Skipped: ${WITHOUT_GPG}`);

export interface Gpg {
  /** Runs gpg on `input`; gives what it writes. Fails when gpg does. */
  run(args: readonly string[], input?: string | Uint8Array): Uint8Array<ArrayBuffer>;
  /** Makes a key pair without a passphrase; gives its public key, armored. `algo` as `--quick-generate-key` has it. */
  makeKey(name: string, algo?: string, expires?: string): string;
  importKey(armored: string): void;
  /** The plain bytes, encrypted for the recipients. */
  encrypt(
    plain: string | Uint8Array,
    recipients: readonly string[],
    more?: readonly string[],
  ): Uint8Array<ArrayBuffer>;
  decrypt(bytes: Uint8Array): string;
  /** Whether this version knows an option. */
  knows(option: string): boolean;
  close(): void;
}

export function createGpg(): Gpg {
  const home = mkdtempSync(join(tmpdir(), "muster-gpg-"));
  let files = 0;
  const gpg: Gpg = {
    run(args, input = "") {
      // Big files pass over the disk: a pipe to a child that is waited for has its limits.
      const [from, to] = [join(home, `in-${++files}`), join(home, `out-${files}`)];
      writeFileSync(from, input);
      const all = ["--homedir", home, "--batch", "--yes", "--quiet", "--no-tty", "--trust-model", "always"];
      const { status, stderr } = spawnSync(GPG, [...all, "--output", to, ...args, from], { encoding: "utf8" });
      if (status !== 0) throw new Error(`gpg ${args.join(" ")}: ${stderr}`);
      const bytes = existsSync(to) ? new Uint8Array(readFileSync(to)) : new Uint8Array();
      rmSync(from);
      rmSync(to, { force: true });
      return bytes;
    },
    makeKey(name, algo = "future-default", expires = "never") {
      const base = ["--homedir", home, "--batch", "--quiet", "--no-tty", "--passphrase", ""];
      const made = spawnSync(GPG, [...base, "--quick-generate-key", name, algo, "default", expires], {
        encoding: "utf8",
      });
      if (made.status !== 0) throw new Error(`gpg --quick-generate-key: ${made.stderr}`);
      return new TextDecoder().decode(exported(name));
    },
    importKey(armored) {
      const { status, stderr } = spawnSync(GPG, ["--homedir", home, "--batch", "--quiet", "--import"], {
        input: armored,
        encoding: "utf8",
      });
      if (status !== 0) throw new Error(`gpg --import: ${stderr}`);
    },
    encrypt: (plain, recipients, more = []) =>
      gpg.run([...more, ...recipients.flatMap((each) => ["--recipient", each]), "--encrypt"], plain),
    decrypt: (bytes) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(gpg.run(["--decrypt"], bytes)),
    knows(option) {
      const { stdout } = spawnSync(GPG, ["--dump-options"], { encoding: "utf8" });
      return stdout.split("\n").includes(option);
    },
    close() {
      // Only the agent of this home.
      spawnSync("/usr/bin/gpgconf", ["--homedir", home, "--kill", "all"]);
      rmSync(home, { recursive: true, force: true });
    },
  };

  function exported(name: string): Uint8Array {
    const { stdout } = spawnSync(GPG, ["--homedir", home, "--batch", "--armor", "--export", `=${name}`]);
    return new Uint8Array(stdout);
  }

  return gpg;
}
