/** A package registry on loopback that has what node_modules has, so that packages can be installed without a network. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const MODULES = fileURLToPath(new URL("../../node_modules/", import.meta.url));
/** Name, and for a tarball `/-/` behind it. */
const PATH = /^\/((?:@[\w.-]+(?:\/|%2f))?[\w.-]+)(\/-\/package\.tgz)?$/i;

export interface PackageRegistry {
  readonly url: string;
  close(): Promise<void>;
}

export async function startRegistry(): Promise<PackageRegistry> {
  const server = createServer((request, response) => {
    const [, name, tarball] = PATH.exec(request.url ?? "") ?? [];
    const work = name === undefined ? Promise.reject(new Error("no package")) : answer(
      decodeURIComponent(name),
      tarball !== undefined,
      `http://${request.headers.host}`,
      response,
    );
    work.catch(() => response.writeHead(404).end("{}"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(name: string, isTarball: boolean, origin: string, response: ServerResponse): Promise<void> {
  const manifest = JSON.parse(await readFile(join(MODULES, name, "package.json"), "utf8"));
  if (isTarball) return void response.end(await tarballOf(name));
  const { version } = manifest;
  const dist = { tarball: `${origin}/${name}/-/package.tgz` };
  response.setHeader("Content-Type", "application/json");
  response.end(
    JSON.stringify({ name, "dist-tags": { latest: version }, versions: { [version]: { ...manifest, dist } } }),
  );
}

/** A tarball has everything in a folder `package`. */
async function tarballOf(name: string): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), "muster-package-"));
  try {
    await symlink(join(MODULES, name), join(folder, "package"));
    const to = join(folder, "package.tgz");
    await promisify(execFile)("tar", ["-chzf", to, "--exclude=node_modules", "-C", folder, "package"]);
    return await readFile(to);
  } finally {
    await rm(folder, { recursive: true });
  }
}
