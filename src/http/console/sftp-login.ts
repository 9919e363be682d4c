/** Making and taking away log-ins for files over SFTP. What is made is shown in the answer to its form, and never again. */
import type { Context } from "hono";
import { Fault } from "../../model/errors.ts";
import type { ConnectionView } from "../api/connection-view.ts";
import type { NewSftpLoginView } from "../api/sftp-logins.ts";
import { route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { onItsPage } from "./connection-page.ts";
import { connectionInApi, connectionPath } from "./connection-shown.ts";
import { answerConsole } from "./frame.ts";
import { MAX_LONG_FORM_BYTES, PAGE, readOwnForm } from "./guards.ts";
import { type MadeSecret, viewSheet } from "./sftp-sheet.ts";
import { loadLogin } from "./sftp-view.ts";

/** A form sent twice is refused the second time, by the log-in's version: it would make another secret. */
export function makeLogin(method: "password" | "public_key" | "key_pair") {
  return route(PAGE, async (c) => {
    const form = await readOwnForm(c, MAX_LONG_FORM_BYTES);
    return await onItsPage(c, async () => {
      const name = (form.get("name") ?? "").trim();
      const asked = method !== "public_key" ? { method } : {
        method,
        public_key: (form.get("public_key") ?? "").trim(),
        ...(name === "" ? {} : { name }),
      };
      const made = await c.get("api")!.send<NewSftpLoginView>(connectionInApi(c, "/sftp-login"), {
        method: "POST",
        body: asked,
        version: form.get("version"),
      });
      const password = typeof made.password === "string" ? made.password : null;
      return await answerSheet(c, { password, private_key: made.private_key ?? null });
    });
  });
}

export const removeFromLogin = route(PAGE, async (c) => {
  const form = await readOwnForm(c);
  return await onItsPage(c, async () => {
    const connection = await c.get("api")!.read<ConnectionView>(connectionInApi(c));
    const login = await loadLogin(c, connection);
    const keys = (login?.keys ?? []).map(({ fingerprint }) => fingerprint).filter((each) => each !== form.get("key"));
    const changes = form.get("what") === "password" ? { password: null } : { keys };
    await c.get("api")!.send(connectionInApi(c, "/sftp-login"), {
      method: "PATCH",
      body: changes,
      version: form.get("version"),
    });
    return c.redirect(connectionPath(c, connection.slug), 303);
  });
});

/** Without any secret: what can be sent again. */
export const showSheet = route(PAGE, (c) => answerSheet(c, null));

async function answerSheet(c: Context<Env>, made: MadeSecret | null): Promise<Response> {
  const connection = await c.get("api")!.read<ConnectionView>(connectionInApi(c));
  const login = await loadLogin(c, connection);
  if (login === null) throw new Fault("not_found", "The connection's files do not come over Muster's own SFTP server");
  return await answerConsole(c, {
    title: `Files for ${connection.name}`,
    section: "/connections",
    main: viewSheet(connection, login, made),
  });
}
