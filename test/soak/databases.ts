/** The databases that a round can be played on: a file that the hubs open, and a libSQL server. */
import { startLibsqlServer } from "../support/libsql-server.ts";
import type { Shape } from "./world.ts";

const TOKEN = "the-token-of-the-server";

export const DATABASES: Readonly<Record<"file" | "server", Shape["serve"]>> = {
  file: null,
  async server(file) {
    const server = await startLibsqlServer(file, TOKEN);
    return { env: { DATABASE_URL: server.url, DATABASE_AUTH_TOKEN: TOKEN }, close: server.close };
  },
};
