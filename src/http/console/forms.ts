/** Changes that forms of the console ask the API for: what it refuses comes back into the form, with what was typed. */
import { html } from "hono/html";
import { Fault, FAULTS } from "../../model/errors.ts";
import { pathOf } from "../../std/json-pointer.ts";
import type { Html, PageStatus } from "../pages/frame.ts";
import { named } from "./feeds.ts";

export type Tried<T> = { readonly done: T } | { readonly refused: Fault };

/** Makes a change. What the API refuses is a value, for the form to show; what is not there has a page of its own. */
export async function tryChange<T>(change: () => Promise<T>): Promise<Tried<T>> {
  try {
    return { done: await change() };
  } catch (error) {
    if (!(error instanceof Fault) || error.code === "not_found") throw error;
    return { refused: error };
  }
}

export function statusOf(refused: Fault | null): PageStatus {
  return refused === null ? 200 : FAULTS[refused.code].status as PageStatus;
}

/** What is wrong with the whole form, above it, with each place. */
export function viewRefused(refused: Fault | null, title = "Nothing was saved"): Html {
  if (refused === null) return html``;
  const { code, message, errors } = refused;
  return html`
    <section class="card note bad" role="alert">
      <h2>${title}</h2>
      <p>${code === "stale" ? STALE : message}.</p>
      ${errors.length === 0
        ? ""
        : html`<ul>${errors.map(({ pointer, detail }) => html`<li>${placeOf(pointer)}${detail}</li>`)}</ul>`}
    </section>
  `;
}

/** `/settings/subdomain` as `Subdomain: `. */
function placeOf(pointer: string): string {
  const name = pathOf(pointer).filter((part) => !/^\d+$/.test(part)).at(-1) ?? "";
  return name === "" ? "" : `${named(name)}: `;
}

/** What the form itself found, before the API was asked. */
export function faultOf(errors: ReadonlyMap<string, string>): Fault {
  return new Fault("invalid_request", "Some fields cannot be used as they are", {
    errors: [...errors].map(([name, detail]) => ({ pointer: name.startsWith("/") ? name : `/${name}`, detail })),
  });
}

const STALE =
  "Somebody has changed it since you opened the page; what you have typed is below, and is saved over that if " +
  "you send it again";

/** What was typed, for the API; null: nothing. */
export function textOrNull(form: URLSearchParams, name: string): string | null {
  return form.get(name)?.trim() || null;
}

/** A number, null where nothing was typed. What is no number goes on as it is, for the API to refuse. */
export function numberOrNull(form: URLSearchParams, name: string): number | string | null {
  const text = textOrNull(form, name);
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : text;
}

/** A hidden field with the version that a form changes, so that two people do not change it unseen by each other. */
export function versionField(version: number): Html {
  return html`<input type="hidden" name="version" value="${version}">`;
}

/** A hidden field by which a form that is sent twice is recognized (Sending.once). `sent`: of the form that came back. */
export function onceField(sent?: string | null): Html {
  return html`<input type="hidden" name="once" value="${sent || crypto.randomUUID()}">`;
}

/** A secret that is on this page alone. */
export function viewSecret(secret: string | null, what: string): Html {
  if (secret === null) {
    return html`
      <section class="card note held">
        <h2>The ${what} is not shown again</h2>
        <p>The form was sent twice. It was done once, and the ${what} was on the page that came first.</p>
      </section>
    `;
  }
  return html`
    <section class="card note good">
      <h2>Copy the ${what} now</h2>
      <p>It is on this page alone. Muster keeps no copy that could be shown again.</p>
      <p><code class="secret">${secret}</code></p>
    </section>
  `;
}
