/** Custom fields: new ones, changed ones, and deleting one with everybody's values in it. */
import type { Context } from "hono";
import { html } from "hono/html";
import { Fault } from "../../../model/errors.ts";
import { CUSTOM_FIELD_TYPES } from "../../../model/record.ts";
import type { CustomFieldView } from "../../api/custom-fields.ts";
import { route } from "../../kit/describe.ts";
import type { Env } from "../../kit/env.ts";
import type { Html } from "../../pages/frame.ts";
import type { Listed } from "../api.ts";
import { type Typed, UNTYPED, viewArea, viewChoice, viewInput, viewSelect } from "../fields.ts";
import { numberOrNull, statusOf, tryChange, versionField, viewRefused } from "../forms.ts";
import { formFields, requireScope } from "../frame.ts";
import { MAX_LONG_FORM_BYTES, PAGE, readOwnForm } from "../guards.ts";
import { FIELDS, TYPE_WORDS } from "./custom-field-list.ts";
import { answerSettings, settingsPath } from "./frame.ts";
import { ORGANIZATION } from "./organization.ts";

/** A field with the version that a form changes. */
interface Loaded {
  readonly field: CustomFieldView;
  readonly version: number;
}

/** Keys may have any characters, so pages have them in the query and not in the path. */
function apiPath(key: string): string {
  return `/v1/custom-fields/${encodeURIComponent(key)}`;
}

async function load(c: Context<Env>, key: string): Promise<Loaded> {
  // An empty key would be the path of the list.
  if (key === "") throw new Fault("not_found", "There is no custom field without a key");
  const { data } = await c.get("api")!.read<Listed<CustomFieldView>>("/v1/custom-fields");
  const field = data.find((each) => each.key === key);
  if (field === undefined) throw new Fault("not_found", `There is no custom field "${key}"`);
  const answer = await c.get("api")!.ask(apiPath(key));
  return { field, version: Number(/\d+/.exec(answer.headers.get("etag") ?? "")?.[0] ?? 0) };
}

/** What the form sends, as the API takes it. */
function fieldOf(form: URLSearchParams): Record<string, unknown> {
  const type = form.get("type") ?? "text", label = form.get("label")?.trim() ?? "";
  const options = (form.get("options") ?? "").split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return {
    ...(label === "" ? {} : { label }),
    type,
    required: form.get("required") === "yes",
    options,
    max_length: numberOrNull(form, "max_length"),
  };
}

function formOf({ key, label, type, required, options, max_length }: CustomFieldView): URLSearchParams {
  return new URLSearchParams([
    ...Object.entries({ key, label, type, options: options.join("\n"), max_length: String(max_length ?? "") }),
    ...(required ? [["required", "yes"]] : []),
  ]);
}

export const askForField = route(PAGE, (c) => {
  requireScope(c, "users:write");
  return answerNew(c, UNTYPED);
});

export const makeField = route(PAGE, async (c) => {
  const form = await readOwnForm(c, MAX_LONG_FORM_BYTES), key = (form.get("key") ?? "").normalize("NFC").trim();
  const tried = await tryChange(async () => {
    const { data } = await c.get("api")!.read<Listed<CustomFieldView>>("/v1/custom-fields");
    const detail = key === "" ? "should not be empty" : "should be another one: there is such a field already";
    // The API replaces a field that is there; here somebody would have to know that it is.
    if (key === "" || data.some((each) => each.key === key)) {
      throw new Fault("conflict", "The key cannot be used", { errors: [{ pointer: "/key", detail }] });
    }
    return await c.get("api")!.send(apiPath(key), { method: "PUT", body: fieldOf(form) });
  });
  if ("refused" in tried) return await answerNew(c, { form, ...tried });
  return c.redirect(settingsPath(c, ORGANIZATION), 303);
});

function answerNew(c: Context<Env>, typed: Typed): Promise<Response> {
  const key = viewInput({
    name: "key",
    label: "Column",
    isRequired: true,
    most: 100,
    hint: "The header of its column in files, such as Shoe size. It cannot be changed later.",
  }, typed);
  const main = html`
    <h1>Add a field</h1>
    ${viewRefused(typed.refused)}
    <form class="card form" method="post" action="${settingsPath(c, FIELDS)}">
      ${formFields(c)}${key}${viewFieldFields(typed)}
      <div class="decide"><button class="go">Add it</button>
        <a class="button" href="${settingsPath(c, ORGANIZATION)}">Back</a></div>
    </form>
  `;
  return answerSettings(c, { title: "Add a field", page: ORGANIZATION, main }, statusOf(typed.refused));
}

function viewFieldFields(typed: Typed): Html {
  return html`
    ${viewInput(
      { name: "label", label: "Name", most: 254, hint: "Empty: as the column." },
      typed,
    )}
    ${viewSelect({
      name: "type",
      label: "What it may hold",
      value: "text",
      options: CUSTOM_FIELD_TYPES.map((type) => ({ value: type, title: TYPE_WORDS[type] })),
    }, typed)}
    ${viewArea({
      name: "options",
      label: "Options, one in each line",
      hint: "Only for fields that hold one or several of them.",
    }, typed)}
    ${viewInput({
      name: "max_length",
      label: "At most so many characters",
      type: "number",
      hint: "Empty: 254.",
    }, typed)}
    ${viewChoice({ name: "required", value: "yes", label: "Everybody needs a value" }, [], typed)}
  `;
}

export const showField = route(PAGE, async (c) => {
  requireScope(c, "users:write");
  const loaded = await load(c, c.req.query("key") ?? "");
  return await answerField(c, loaded, { form: formOf(loaded.field), refused: null });
});

export const changeField = route(PAGE, async (c) => {
  const form = await readOwnForm(c, MAX_LONG_FORM_BYTES), key = form.get("key") ?? "";
  await load(c, key);
  const sending = { method: "PUT", body: fieldOf(form), version: form.get("version") } as const;
  const tried = await tryChange(() => c.get("api")!.send(apiPath(key), sending));
  if ("refused" in tried) return await answerField(c, await load(c, key), { form, ...tried });
  return c.redirect(settingsPath(c, ORGANIZATION), 303);
});

function answerField(
  c: Context<Env>,
  { field: { key, label }, version }: Loaded,
  typed: Typed,
): Promise<Response> {
  const path = settingsPath(c, FIELDS);
  const main = html`
    <h1>${label}</h1>
    <p class="soft">The column ${key}</p>
    ${viewRefused(typed.refused)}
    <form class="card form" method="post" action="${path}/edit">
      ${formFields(c)}${versionField(version)}${keyField(key)}${viewFieldFields(typed)}
      <div class="decide"><button class="go">Save</button>
        <a class="button" href="${settingsPath(c, ORGANIZATION)}">Back</a>
        <a class="button" href="${path}/delete?key=${encodeURIComponent(key)}">Delete…</a></div>
    </form>
  `;
  return answerSettings(c, { title: label, page: ORGANIZATION, main }, statusOf(typed.refused));
}

function keyField(key: string): Html {
  return html`<input type="hidden" name="key" value="${key}">`;
}

export const askToDeleteField = route(PAGE, async (c) => {
  requireScope(c, "users:write");
  const { field: { key, label }, version } = await load(c, c.req.query("key") ?? ""), path = settingsPath(c, FIELDS);
  const main = html`
    <section class="card state bad">
      <h1>Delete ${label}?</h1>
      <p>Everybody’s values in it are deleted with it, for good. The column ${key} of files is not used any more.</p>
      <form class="decide" method="post" action="${path}/delete">${formFields(c)}${versionField(version)}${keyField(
        key,
      )}
        <button class="stop">Delete it</button>
        <a class="button" href="${path}/edit?key=${encodeURIComponent(key)}">Keep it</a></form>
    </section>
  `;
  return await answerSettings(c, { title: `Delete ${label}?`, page: ORGANIZATION, main });
});

export const deleteField = route(PAGE, async (c) => {
  const form = await readOwnForm(c), key = form.get("key") ?? "";
  await load(c, key);
  await c.get("api")!.send(apiPath(key), { method: "DELETE", version: form.get("version") });
  return c.redirect(settingsPath(c, ORGANIZATION), 303);
});
