/** OpenPGP keys of a connection: made for those who encrypt their files, and downloaded. */
import type { PgpKeyView } from "../api/pgp-keys.ts";
import { attachment } from "../kit/disposition.ts";
import { route } from "../kit/describe.ts";
import { pathParameter } from "../kit/load.ts";
import { onItsPage } from "./connection-page.ts";
import { connectionInApi, connectionPath } from "./connection-shown.ts";
import { PAGE, readOwnForm } from "./guards.ts";

export const makePgpKey = route(PAGE, async (c) => {
  await readOwnForm(c);
  return await onItsPage(c, async () => {
    await c.get("api")!.send(connectionInApi(c, "/pgp-keys"), { method: "POST", body: {} });
    return c.redirect(connectionPath(c, pathParameter(c, "connection")), 303);
  });
});

/** The public half, which is no secret. */
export const getPgpKey = route(PAGE, async (c) => {
  const path = connectionInApi(c, `/pgp-keys/${encodeURIComponent(pathParameter(c, "pgp_key"))}`);
  const { public_key } = await c.get("api")!.read<PgpKeyView>(path);
  return c.body(public_key, 200, {
    "content-type": "application/pgp-keys",
    "content-disposition": attachment("muster.asc"),
  });
});
