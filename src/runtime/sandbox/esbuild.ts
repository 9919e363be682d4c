/** Makes one module of several by esbuild, one at a time: its program ends after each, and with it what it still does. */
import type { BuildOptions, Metafile } from "esbuild";
import { createLane } from "../../std/lanes.ts";

const IN_TURN = createLane(1);

export interface Built {
  readonly outputFiles: readonly { readonly path: string; readonly text: string }[];
  readonly metafile: Metafile;
}

/** A build that writes no files. Fails with esbuild's own error, which has `errors`. */
export async function buildFiles(options: BuildOptions): Promise<Built> {
  // Needed only where connectors of others are added, and slow to load.
  const { build, stop } = await import("esbuild");
  const giveBack = await IN_TURN.take("");
  try {
    return await build({
      ...options,
      bundle: true,
      write: false,
      metafile: true,
      format: "esm",
      logLevel: "silent",
    });
  } finally {
    await stop();
    giveBack();
  }
}
