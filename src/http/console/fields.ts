/**
 * Fields of the console's forms: label, hint, value, and what is wrong with it. A form that was refused is shown again with
 * what was typed; secrets never are. No I/O.
 */
import { html, raw } from "hono/html";
import type { Fault } from "../../model/errors.ts";
import type { Html } from "../pages/frame.ts";

/** A form as it came or as it begins, and why the API refused it. */
export interface Typed {
  /** Null: each field has its own value. */
  readonly form: URLSearchParams | null;
  readonly refused: Fault | null;
}

export const UNTYPED: Typed = { form: null, refused: null };

export interface Field {
  /** A name of the form's own, or the pointer to the value in the API's request, such as `/settings/subdomain`. */
  readonly name: string;
  readonly label: string;
  readonly hint?: Html | string | undefined;
  readonly isRequired?: boolean;
  /** Of the value in the API's request; by default the name. */
  readonly pointer?: string;
}

/** What is filled in where nothing was typed yet. */
interface Filled extends Field {
  readonly value?: string;
}

export interface Input extends Filled {
  readonly type?: "text" | "number" | "time" | "date" | "email" | "url" | "password";
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** At most so many characters. */
  readonly most?: number;
}

export function viewInput({ type = "text", min, max, most: maxlength, ...field }: Input, typed: Typed): Html {
  const isSecret = type === "password", step = type === "number" ? "any" : undefined;
  const value = isSecret ? "" : valueOf(field, typed), autocomplete = isSecret ? "new-password" : "off";
  return viewField(
    field,
    typed,
    (own) => html`<input ${attributesOf({ type, ...own, value, autocomplete, step, min, max, maxlength })}>`,
  );
}

/** `isSecret`: what is typed is not shown again. */
export function viewArea({ isSecret, ...field }: Filled & { readonly isSecret?: boolean }, typed: Typed): Html {
  // Browsers drop a line break at the beginning, which may be the value's own.
  const content = `\n${isSecret ? "" : valueOf(field, typed)}`;
  const looks = { rows: 4, autocomplete: "off", spellcheck: "false" };
  return viewField(
    field,
    typed,
    (own) => html`<textarea ${attributesOf({ ...own, ...looks })}>${content}</textarea>`,
  );
}

export interface Option {
  readonly value: string;
  readonly title: string;
}

export function viewSelect(
  { options, ...field }: Filled & { readonly options: readonly Option[] },
  typed: Typed,
): Html {
  return viewField(
    field,
    typed,
    (own) => html`<select ${attributesOf(own)}>${viewOptions(options, valueOf(field, typed))}</select>`,
  );
}

export function viewOptions(options: readonly Option[], chosen: string): Html {
  return html`${
    options.map(({ value, title }) =>
      html`<option ${attributesOf({ value, selected: value === chosen })}>${title}</option>`
    )
  }`;
}

export interface Choice extends Field {
  readonly type?: "radio" | "checkbox";
  readonly value: string;
}

/** A tick box, or one of several choices of the same name. `chosen`: the values that are ticked at first. */
export function viewChoice(
  { type = "checkbox", value, ...field }: Choice,
  chosen: readonly string[],
  typed: Typed,
): Html {
  const { name, label, hint } = field, wrong = wrongWith(field, typed);
  const checked = (typed.form?.getAll(name) ?? chosen).includes(value);
  return html`<label class="tick"><input ${attributesOf({ type, name, value, checked })}>
    <span>${label}${
    hint === undefined ? "" : html`
      <span class="small soft">${viewHint(hint)}</span>
    `
  }${
    wrong === null ? "" : html`
      <span class="wrong">${wrong}</span>
    `
  }</span></label>`;
}

/** Boxes of one name, each of which may be ticked. */
export function viewChoices(
  { options, chosen = [], ...field }: Field & {
    readonly options: readonly (Option & { readonly hint?: string })[];
    readonly chosen?: readonly string[];
  },
  typed: Typed,
): Html {
  const { name, label, hint } = field, wrong = wrongWith(field, typed), ticked = { ...typed, refused: null };
  // Without explanations there is room for several beside each other.
  const looks = options.some((option) => option.hint !== undefined) ? "ticks" : "ticks short";
  return html`<fieldset class="${looks}"><legend>${label}</legend>${
    hint === undefined ? "" : html`<p class="small soft">${viewHint(hint)}</p>`
  }${wrong === null ? "" : html`<p class="wrong">${wrong}</p>`}${
    options.map(({ title, ...option }) => viewChoice({ name, label: title, ...option }, chosen, ticked))
  }</fieldset>`;
}

/** Fields that few need to see, behind a title. */
export function viewFolded(title: string, isOpen: boolean, fields: Html): Html {
  return html`<details ${attributesOf({ open: isOpen })}><summary>${title}</summary>${fields}</details>`;
}

/** Whether something is wrong with one of these values, or in them. */
export function isWrongAt({ refused }: Typed, ...pointers: readonly string[]): boolean {
  return pointers.some((pointer) => faultAt(refused, pointer) !== undefined);
}

function faultAt(refused: Fault | null, pointer: string): Fault["errors"][number] | undefined {
  return refused?.errors.find((each) => each.pointer === pointer || each.pointer.startsWith(`${pointer}/`));
}

/** What is wrong with the field, as a sentence; null: nothing is. */
function wrongWith({ name, pointer = name.startsWith("/") ? name : `/${name}` }: Field, typed: Typed): string | null {
  const found = faultAt(typed.refused, pointer);
  if (found === undefined) return null;
  // Details go on from the field's name, or are sentences of their own.
  return /^[a-z]/.test(found.detail) ? `It ${found.detail}.` : `${found.detail}.`;
}

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** True: without a value. What is false or undefined is left out. */
function attributesOf(attributes: Attributes): Html {
  const given = Object.entries(attributes).filter(([, value]) => value !== undefined && value !== false);
  return html`${
    given.map(([name, value], i) => html`${raw(i === 0 ? name : ` ${name}`)}${value === true ? "" : html`="${value}"`}`)
  }`;
}

/** The label, the control, what is wrong and the hint; `control` gets the attributes that connect them. */
function viewField(field: Field, typed: Typed, control: (own: Attributes) => Html): Html {
  const { name, label, hint, isRequired: required } = field, wrong = wrongWith(field, typed);
  const id = `f-${name.replace(/[^A-Za-z0-9_]+/g, "-")}`;
  const notes = [...(wrong === null ? [] : [`${id}-wrong`]), ...(hint === undefined ? [] : [`${id}-hint`])];
  const own = {
    id,
    name,
    required,
    "aria-describedby": notes.length === 0 ? undefined : notes.join(" "),
    "aria-invalid": wrong === null ? undefined : "true",
  };
  return html`<div class="field"><label for="${id}">${label}${
    required
      ? html`
        <span class="soft">(required)</span>
      `
      : ""
  }</label>${control(own)}${wrong === null ? "" : html`<p class="wrong" id="${id}-wrong">${wrong}</p>`}${
    hint === undefined ? "" : html`<p class="small soft" id="${id}-hint">${viewHint(hint)}</p>`
  }</div>`;
}

function valueOf({ name, value = "" }: Filled, { form }: Typed): string {
  return form?.get(name) ?? value;
}

/** Descriptions name values as Markdown does: `remote`. */
export function viewHint(hint: Html | string): Html {
  if (typeof hint !== "string") return hint;
  return html`${hint.split("`").map((part, place) => place % 2 === 1 ? html`<code>${part}</code>` : part)}`;
}
