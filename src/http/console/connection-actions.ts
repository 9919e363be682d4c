/** What is done from a connection's page: sync, check, pause, resume, log in at the source. The API decides about each. */
import type { Context } from "hono";
import { html } from "hono/html";
import type { ConnectionView } from "../api/connection-view.ts";
import type { RunView } from "../../model/run.ts";
import { route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { type Checked, viewChecked } from "./connection-check.ts";
import { answerConnection, loadShown, onItsPage } from "./connection-page.ts";
import { connectionInApi, connectionPath, patchConnection } from "./connection-shown.ts";
import { pathIn } from "./frame.ts";
import { PAGE, readOwnForm } from "./guards.ts";

export const syncConnection = route(PAGE, async (c) => {
  const form = await readOwnForm(c);
  return await onItsPage(c, async () => {
    const mode = form.get("mode") === "plan" ? "plan" : "auto";
    const { run } = await c.get("api")!.send<{ run: RunView }>(connectionInApi(c, "/runs"), {
      method: "POST",
      body: { mode },
    });
    return c.redirect(pathIn(c, `/runs/${run.id}`), 303);
  });
});

/** Shows what was found on the connection's page. Sending the form again checks again, which does no harm. */
export const checkConnection = route(PAGE, async (c) => {
  await readOwnForm(c);
  return await onItsPage(c, async () => {
    const checked = await c.get("api")!.send<Checked>(connectionInApi(c, "/check"), { method: "POST", body: {} });
    return await answerConnection(c, { notice: viewChecked(c, await loadShown(c), checked) });
  });
});

export const pauseConnection = route(PAGE, (c) => change(c, "POST", "/pause", () => ({})));

export const resumeConnection = route(PAGE, (c) => change(c, "POST", "/resume", () => ({})));

/** The statuses that are ticked after a check, or all. */
export const chooseStatuses = route(
  PAGE,
  (c) =>
    change(c, "PATCH", "", (form) => ({
      policy: { only_statuses: form.get("all") === "yes" ? null : form.getAll("status") },
    })),
);

/** The host key that a check has shown, and somebody has compared. */
export const trustHostKey = route(PAGE, async (c) => {
  const form = await readOwnForm(c);
  return await onItsPage(c, async () => {
    const { settings } = await c.get("api")!.read<ConnectionView>(connectionInApi(c));
    return await patchConnection(c, { settings: { ...settings, host_key: form.get("host_key") } }, form.get("version"));
  });
});

/** A redirect would leave the console, which the pages' policy refuses; so the address is shown as a link. */
export const authorizeConnection = route(PAGE, async (c) => {
  await readOwnForm(c);
  return await onItsPage(c, async () => {
    const { authorization_url, redirect_uri } = await c.get("api")!.send<
      { readonly authorization_url: string; readonly redirect_uri: string }
    >(connectionInApi(c, "/authorize"), { method: "POST", body: {} });
    const notice = html`
      <section class="card note calm">
        <h2>Log in at the source</h2>
        <p>Allow Muster to read there, within 15 minutes.</p>
        <p class="after"><a class="button" href="${authorization_url}">Go to the source</a></p>
        <p class="small soft">The source has to know the address <code>${redirect_uri}</code></p>
      </section>
    `;
    return await answerConnection(c, { notice });
  });
});

async function change(
  c: Context<Env>,
  method: "POST" | "PATCH",
  path: string,
  changesOf: (form: URLSearchParams) => object,
): Promise<Response> {
  const form = await readOwnForm(c);
  return await onItsPage(c, async () => {
    const { slug } = await c.get("api")!.send<ConnectionView>(connectionInApi(c, path), {
      method,
      body: changesOf(form),
    });
    return c.redirect(connectionPath(c, slug), 303);
  });
}
