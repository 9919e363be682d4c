/**
 * Fields of the console's forms: label, hint, value, and what is wrong with it. A form that was refused is shown again with
 * what was typed; secrets never are. No I/O.
 */
import { html } from "hono/html";
import type { Html } from "../pages/frame.ts";

/** A form as it came, and why it was refused. */
export interface Typed {
  /** Null: the form is shown for the first time. */
  readonly form: URLSearchParams | null;
  /** What is wrong, by the field's name. */
  readonly errors: ReadonlyMap<string, string>;
}

export const UNTYPED: Typed = { form: null, errors: new Map() };

export interface Field {
  /** The API's pointer to the value, such as `/settings/subdomain`, or a name of the form's own. */
  readonly name: string;
  readonly label: string;
  readonly hint?: string | undefined;
  readonly isRequired?: boolean;
}

export interface Input extends Field {
  readonly type?: "text" | "number" | "time" | "email" | "password";
  readonly value: string;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

export function viewInput({ type = "text", value, min, max, ...field }: Input, typed: Typed): Html {
  const shown = type === "password" ? "" : typed.form?.get(field.name) ?? value;
  const number = type === "number"
    ? html`
      step="any"${min === undefined ? "" : html`
        min="${min}"
      `}${max === undefined ? "" : html`
        max="${max}"
      `}
    `
    : "";
  return viewField(
    field,
    typed,
    html`
      <input id="${idOf(field)}" name="${field
        .name}" type="${type}" value="${shown}" autocomplete="${type === "password" ? "new-password" : "off"}"
        ${number}${attributes(field, typed)}>
    `,
  );
}

/** `isSecret`: what is typed is not shown again. */
export function viewTextarea(
  { value, isSecret = false, ...field }: Field & { readonly value: string; readonly isSecret?: boolean },
  typed: Typed,
): Html {
  const shown = isSecret ? "" : typed.form?.get(field.name) ?? value;
  // Browsers drop a newline at the beginning, which may be the value's own.
  const content = `\n${shown}`;
  return viewField(
    field,
    typed,
    html`
      <textarea id="${idOf(field)}" name="${field.name}" rows="4" autocomplete="off" spellcheck="false"
        ${attributes(field, typed)}>${content}</textarea>
    `,
  );
}

export interface Select extends Field {
  readonly options: readonly (readonly [value: string, label: string])[];
  readonly value: string;
}

export function viewSelect({ options, value, ...field }: Select, typed: Typed): Html {
  const chosen = typed.form?.get(field.name) ?? value;
  return viewField(
    field,
    typed,
    html`
      <select id="${idOf(field)}" name="${field.name}" ${attributes(field, typed)}>${options.map(([each, label]) =>
        html`
          <option value="${each}" ${each === chosen
            ? html`
              selected
            `
            : ""}>${label}</option>
        `
      )}</select>
    `,
  );
}

export interface Choice extends Field {
  readonly type: "radio" | "checkbox";
  readonly value: string;
}

/** A tick box, or one of several choices of the same name. `chosen`: the value or values that are ticked at first. */
export function viewChoice({ type, value, ...field }: Choice, chosen: string | readonly string[], typed: Typed): Html {
  const ticked = typed.form?.getAll(field.name) ?? [chosen].flat();
  return html`
    <div
      class="choice"><label><input type="${type}" name="${field.name}" value="${value}"${ticked.includes(value)
        ? html`
          checked
        `
        : ""}${field.hint === undefined ? "" : html`
        aria-describedby="${idOf(field)}-${value}-hint"
      `}> ${field.label}</label>${field.hint === undefined
        ? ""
        : html`<p class="small soft" id="${idOf(field)}-${value}-hint">${viewHint(field.hint)}</p>`}${viewError(
          field,
          typed,
        )}</div>
  `;
}

/** Fields that few need to see, behind a title. */
export function viewFolded(title: string, isOpen: boolean, fields: Html): Html {
  return html`<details${
    isOpen
      ? html`
        open
      `
      : ""
  }><summary>${title}</summary>${fields}</details>`;
}

function viewField(field: Field, typed: Typed, control: Html): Html {
  const id = idOf(field);
  return html`<div class="field"><label for="${id}">${field.label}${
    field.isRequired
      ? html`
        <span class="soft">(required)</span>
      `
      : ""
  }</label>${control}${
    field.hint === undefined ? "" : html`<p class="small soft" id="${id}-hint">${viewHint(field.hint)}</p>`
  }${viewError(field, typed)}</div>`;
}

/** Descriptions name values as Markdown does: `remote`. */
export function viewHint(text: string): Html {
  return html`${text.split("`").map((part, place) => place % 2 === 1 ? html`<code>${part}</code>` : part)}`;
}

function viewError(field: Field, { errors }: Typed): Html {
  const error = errors.get(field.name);
  return error === undefined ? html`` : html`<p class="small wrong" id="${idOf(field)}-error">${error}</p>`;
}

function attributes(field: Field, { errors }: Typed): Html {
  const id = idOf(field), isWrong = errors.has(field.name);
  const described = [...(field.hint === undefined ? [] : [`${id}-hint`]), ...(isWrong ? [`${id}-error`] : [])];
  return html`${
    field.isRequired
      ? html`
        required
      `
      : ""
  }${
    isWrong
      ? html`
        aria-invalid="true"
      `
      : ""
  }${
    described.length === 0 ? "" : html`
      aria-describedby="${described.join(" ")}"
    `
  }`;
}

function idOf({ name }: Field): string {
  return `f${name.replace(/[^A-Za-z0-9]+/g, "-")}`;
}
