/** Changing what a connection does with people, and what it does only after asking. */
import type { Context } from "hono";
import { html } from "hono/html";
import { Fault } from "../../model/errors.ts";
import type { ConnectionView } from "../api/connection-view.ts";
import { route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { connectionInApi, connectionPath, patchConnection } from "./connection-shown.ts";
import { type Typed, UNTYPED } from "./fields.ts";
import { faultOf, statusOf, tryChange, versionField, viewRefused } from "./forms.ts";
import { answerConsole, formFields, may } from "./frame.ts";
import { MAX_LONG_FORM_BYTES, PAGE, readOwnForm } from "./guards.ts";
import { readRules, viewGuardFields, viewPolicyFields } from "./rule-form.ts";

export const editRules = route(PAGE, async (c) => {
  const connection = await load(c);
  if (!may(c, "connections:write")) throw new Fault("forbidden", "You may not change connections");
  return await answerForm(c, connection, UNTYPED);
});

export const saveRules = route(PAGE, async (c) => {
  const form = await readOwnForm(c, MAX_LONG_FORM_BYTES);
  const connection = await load(c);
  const { changes, errors } = readRules(connection, form);
  if (errors.size > 0) return await answerForm(c, connection, { form, refused: faultOf(errors) });
  const tried = await tryChange(() => patchConnection(c, changes, form.get("version")));
  return "refused" in tried ? await answerForm(c, connection, { form, ...tried }) : tried.done;
});

async function load(c: Context<Env>): Promise<ConnectionView> {
  return await c.get("api")!.read<ConnectionView>(connectionInApi(c));
}

function answerForm(c: Context<Env>, connection: ConnectionView, typed: Typed): Promise<Response> {
  const path = connectionPath(c, connection.slug);
  return answerConsole(c, {
    title: `Rules of ${connection.name}`,
    section: "/connections",
    main: html`
      ${viewRefused(typed.refused)}
      <h1>Rules of ${connection.name}</h1>
      <form method="post" action="${path}/rules" class="form">${formFields(c)}
        ${versionField(connection.version)}
        <section class="card" aria-labelledby="policy-title">
          <h2 id="policy-title">What it does with people</h2>
          ${viewPolicyFields(connection, typed)}
        </section>
        <section class="card" aria-labelledby="guards-title">
          <h2 id="guards-title">What needs approval</h2>
          <p class="small soft">A run that would change more than this waits until somebody approves it.</p>
          ${viewGuardFields(connection, typed)}
        </section>
        <div class="decide"><button class="go">Save</button><a class="button" href="${path}">Back without saving</a></div>
      </form>
    `,
  }, statusOf(typed.refused));
}
