/**
 * Forms of the console: fields with what was typed and what is wrong with it, and changes that the API may refuse.
 *
 * What cannot be used comes back into the form. All other refusals are pages of their own.
 */
import { html, raw } from "hono/html";
import { Fault, FAULTS } from "../../model/errors.ts";
import type { Html, PageStatus } from "../pages/frame.ts";

/** Statuses of refusals that the person at the form can do something about. */
const TYPED: ReadonlySet<number> = new Set([400, 409, 412, 422]);

export type Tried<T> = { readonly done: T } | { readonly refused: Fault };

/** Makes a change. A refusal of what was typed is a value, all others are thrown. */
export async function tryChange<T>(change: () => Promise<T>): Promise<Tried<T>> {
  try {
    return { done: await change() };
  } catch (error) {
    if (!(error instanceof Fault) || !TYPED.has(FAULTS[error.code].status)) throw error;
    return { refused: error };
  }
}

/** Answers as `again` does where the API refuses the work. What is not there has a page of its own. */
export async function orAgain(
  work: () => Promise<Response>,
  again: (refusal: Fault) => Promise<Response>,
): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Fault) || error.code === "not_found") throw error;
    return await again(error);
  }
}

/** Null: the form is new. */
export type Refused = Fault | null;

export function statusOf(refused: Refused): PageStatus {
  return refused === null ? 200 : FAULTS[refused.code].status as PageStatus;
}

/** What is wrong with the whole form, above it. */
export function viewRefused(refused: Refused): Html {
  if (refused === null) return html``;
  return html`
    <section class="card note bad" role="alert">
      <h2>Nothing was changed</h2>
      <p>${refused.code === "stale" ? STALE : refused.message}.</p>
    </section>
  `;
}

const STALE =
  "Somebody has changed it since you opened the page; what you have typed is below, and is saved over that if " +
  "you send it again";

/** What is wrong with the field at this JSON pointer of the API's request, as a sentence; null: nothing is. */
function faultAt(refused: Refused, pointer: string): string | null {
  const found = refused?.errors.find((each) => each.pointer === pointer || each.pointer.startsWith(`${pointer}/`));
  if (found === undefined) return null;
  // Details go on from the field's name, or are sentences of their own.
  return /^[a-z]/.test(found.detail) ? `It ${found.detail}.` : `${found.detail}.`;
}

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly value?: string;
  readonly hint?: Html | string;
  /** Of the value in the API's request; by default the name. */
  readonly pointer?: string;
  readonly required?: boolean;
}

export interface TextField extends Field {
  readonly type?: "text" | "email" | "url" | "number" | "datetime-local" | "date";
  /** Id of a list of suggestions. */
  readonly list?: string;
  readonly most?: number;
}

export function viewText(field: TextField, refused: Refused): Html {
  const { name, type = "text", value = "", list, most: maxlength, required } = field;
  return viewField(field, refused, (described) => {
    const attributes = { type, id: name, name, value, autocomplete: "off", list, maxlength, required, ...described };
    return html`<input ${attributesOf(attributes)}>`;
  });
}

export interface Option {
  readonly value: string;
  readonly title: string;
}

export function viewSelect(field: Field & { readonly options: readonly Option[] }, refused: Refused): Html {
  const { name, value = "", options } = field;
  return viewField(
    field,
    refused,
    (described) =>
      html`<select ${attributesOf({ id: name, name, ...described })}>${
        options.map((option) => viewOption(option, value))
      }</select>`,
  );
}

export function viewOption({ value, title }: Option, chosen: string): Html {
  return html`<option ${attributesOf({ value, selected: value === chosen })}>${title}</option>`;
}

export function viewArea(field: Field & { readonly rows?: number }, refused: Refused): Html {
  const { name, value = "", rows = 4 } = field;
  // The browser leaves out the first line break, which the value may have.
  return viewField(
    field,
    refused,
    (described) => html`<textarea ${attributesOf({ id: name, name, rows, ...described })}>${"\n"}${value}</textarea>`,
  );
}

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** True: without a value. What is false or undefined is left out. */
function attributesOf(attributes: Attributes): Html {
  const given = Object.entries(attributes).filter(([, value]) => value !== undefined && value !== false);
  return html`${
    given.map(([name, value], i) => html`${raw(i === 0 ? name : ` ${name}`)}${value === true ? "" : html`="${value}"`}`)
  }`;
}

export interface Tick extends Option {
  readonly hint?: string;
}

/** Boxes that are ticked, of which the form sends each as `name`. */
export function viewTicks(
  { name, legend, hint, ticks, chosen, pointer = `/${name}` }: {
    readonly name: string;
    readonly legend: string;
    readonly hint?: string;
    readonly ticks: readonly Tick[];
    readonly chosen: ReadonlySet<string>;
    readonly pointer?: string;
  },
  refused: Refused,
): Html {
  const fault = faultAt(refused, pointer);
  // Without explanations there is room for several beside each other.
  const form = ticks.some((tick) => tick.hint !== undefined) ? "ticks" : "ticks short";
  return html`<fieldset class="${form}"><legend>${legend}</legend>${
    hint === undefined ? "" : html`<p class="small soft">${hint}</p>`
  }${fault === null ? "" : html`<p class="fault">${fault}</p>`}${
    ticks.map((tick) => viewTick(name, tick, chosen.has(tick.value)))
  }</fieldset>`;
}

/** One box, beside what it means. */
export function viewTick(name: string, { value, title, hint }: Tick, isChosen: boolean): Html {
  return html`<label class="tick"><input ${attributesOf({ type: "checkbox", name, value, checked: isChosen })}>
    <span>${title}${
    hint === undefined ? "" : html`
      <span class="small soft">${hint}</span>
    `
  }</span></label>`;
}

/** The label, what is wrong, the control, and the hint; `control` gets the attributes that connect them. */
function viewField(field: Field, refused: Refused, control: (described: Attributes) => Html): Html {
  const { name, label, hint, pointer = `/${name}` } = field;
  const fault = faultAt(refused, pointer);
  const ids = [...(fault === null ? [] : [`${name}-fault`]), ...(hint === undefined ? [] : [`${name}-hint`])];
  const described = {
    "aria-describedby": ids.length === 0 ? undefined : ids.join(" "),
    "aria-invalid": fault === null ? undefined : "true",
  };
  return html`<div class="field"><label for="${name}">${label}</label>${control(described)}${
    fault === null ? "" : html`<p class="fault" id="${name}-fault">${fault}</p>`
  }${hint === undefined ? "" : html`<p class="small soft" id="${name}-hint">${hint}</p>`}</div>`;
}

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
