/** The log-in of a connection whose files come over Muster's own SFTP server: what there is of it, and how it is used. */
import type { Context } from "hono";
import { html } from "hono/html";
import { whenInWords } from "../../notify/words.ts";
import type { ConnectionView } from "../api/connection-view.ts";
import type { SftpLoginView } from "../api/sftp-logins.ts";
import type { Env } from "../kit/env.ts";
import type { Html } from "../pages/frame.ts";
import { connectionInApi, connectionPath } from "./connection-shown.ts";
import { UNTYPED, viewArea, viewInput } from "./fields.ts";
import { versionField } from "./forms.ts";
import { formFields, may } from "./frame.ts";

/** Null: its files do not come over Muster's own server. */
export async function loadLogin(c: Context<Env>, { sftp, settings }: ConnectionView): Promise<SftpLoginView | null> {
  if (sftp === null || settings.mode === "remote") return null;
  return await c.get("api")!.read<SftpLoginView>(connectionInApi(c, "/sftp-login"));
}

export function viewLogin(c: Context<Env>, connection: ConnectionView, login: SftpLoginView): Html {
  const { timezone } = c.get("organization"), path = connectionPath(c, connection.slug);
  const isDecider = may(c, "connections:write", "runs:approve");
  return html`
    <section class="card" aria-labelledby="log-in-title">
      <h2 id="log-in-title">Log-in for files</h2>
      ${viewAddress(connection, login)}
      ${login.password === null
        ? ""
        : html`<p>It has a password, made on ${whenInWords(Date.parse(login.password.updated_at), timezone)}.</p>${
          viewRemove(c, path, login, "password", "", "Take the password away")
        }`}
      ${login.keys.length === 0 ? "" : html`
        <h3>Keys that are let in</h3>
        <ul class="bare rowlist">${login.keys.map(({ name, type, fingerprint, made_by, created_at }) =>
          html`<li><strong>${name}</strong> <span class="small soft">${type}, ${
            made_by === "hub" ? "made here" : "registered"
          } on ${whenInWords(Date.parse(created_at), timezone)}</span>
        <p class="small"><code>${fingerprint}</code></p>
        ${viewRemove(c, path, login, "key", fingerprint, "Take this key away")}</li>`
        )}</ul>
      `}
      ${login.username === null
        ? ""
        : html`<p class="after"><a class="button" href="${path}/sheet">Sheet to print or send</a></p>`}
      ${isDecider ? viewMake(c, path, login) : ""}
    </section>
  `;
}

/** Where files go, by the names that SFTP programs have for it. */
export function viewAddress({ in_force }: ConnectionView, { server, username }: SftpLoginView): Html {
  return html`
    ${server === null ? html`<p>No server for files has connected yet: one should be running.</p>` : ""}
    <dl class="facts">
      ${server === null ? "" : html`
        <dt>Host</dt>
        <dd><code>${server.host}</code></dd>
        <dt>Port</dt>
        <dd><code>${server.port}</code></dd>
      `}
      <dt>User</dt><dd>${username === null ? "none yet" : html`<code>${username}</code>`}</dd>
      ${server === null ? "" : html`
        <dt>Fingerprint</dt>
        <dd><code>${server.host_key}</code></dd>
      `}
      <dt>Folder</dt><dd><code>${String(in_force!.folder?.value ?? "/")}</code></dd>
    </dl>
  `;
}

function viewRemove(
  c: Context<Env>,
  path: string,
  login: SftpLoginView,
  what: string,
  key: string,
  label: string,
): Html {
  if (!may(c, "connections:write")) return html``;
  return html`<form method="post" action="${path}/sftp-login/remove" class="decide">${formFields(c)}
    ${versionField(login.version)}<input type="hidden" name="what" value="${what}">
    <input type="hidden" name="key" value="${key}"><button class="stop">${label}</button></form>`;
}

function viewMake(c: Context<Env>, path: string, login: SftpLoginView): Html {
  const form = (method: string, fields: Html, label: string) =>
    html`<form method="post" action="${path}/sftp-login/${method}" class="form">${formFields(c)}
      ${versionField(login.version)}${fields}<div class="decide"><button>${label}</button></div></form>`;
  return html`
    <details${login.username === null
      ? html`
        open
      `
      : ""}><summary>${login.username === null ? "Make a log-in" : "Another password or key"}</summary>
      ${form(
        "password",
        html`
          <h3>By password</h3>
          <p class="small soft">Muster makes it and shows it once.${login.password === null
            ? ""
            : " The one before ends."}</p>
        `,
        "Make a password",
      )}
      ${form(
        "public-key",
        html`<h3>By a key that they have</h3>${
          viewArea({
            name: "public_key",
            label: "Their public key",
            hint: "It begins with ssh-ed25519, ssh-rsa or ecdsa",
            isRequired: true,
          }, UNTYPED)
        }${
          viewInput(
            { name: "name", label: "Name of the key", hint: "Empty: the key's own comment" },
            UNTYPED,
          )
        }`,
        "Register this key",
      )}
      ${form(
        "key-pair",
        html`
          <h3>By a key pair made here</h3>
          <p class="small soft">Muster shows the private key once, and keeps the public one.</p>
        `,
        "Make a key pair",
      )}
    </details>
  `;
}
