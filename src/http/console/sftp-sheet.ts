/** What somebody who sends files is given: where to, as whom, and the steps in the usual programs. No I/O. */
import { html } from "hono/html";
import type { ConnectionView } from "../api/connection-view.ts";
import type { SftpLoginView } from "../api/sftp-logins.ts";
import type { Html } from "../pages/frame.ts";
import { viewAddress } from "./sftp-view.ts";
import { scheduleInWords, type When } from "./schedule.ts";

/** What was made just now. It is in this answer alone. */
export interface MadeSecret {
  readonly password?: string | null;
  readonly private_key?: string | null;
}

export function viewSheet(connection: ConnectionView, login: SftpLoginView, made: MadeSecret | null): Html {
  const when = connection.in_force!.when;
  return html`
    ${made === null ? "" : viewMade(made)}
    <section class="card">
      <h1>Files for ${connection.name}</h1>
      ${viewAddress(connection, login)}
      ${when === null ? "" : html`<p>When files are taken: ${scheduleInWords(when.value as When)}.</p>`}
      <p>The first time, your program shows a fingerprint. It should be the one above; if it is another one, stop and ask.</p>
      <p>For each file with mistakes there is a report in the folder <code>reports</code> a few minutes later.</p>
    </section>
    ${login.server === null || login.username === null
      ? ""
      : viewSteps(connection, login, login.server, login.username)}
  `;
}

function viewMade({ password, private_key }: MadeSecret): Html {
  if (!password && !private_key) return html``;
  return html`
    <section class="card note held" role="status">
      <h2>${password ? "The password" : "The private key"}</h2>
      <p>It is shown this once. Print this page or copy it now; later there is only another one.</p>
      ${password ? html`<p><code>${password}</code></p>` : ""}
      ${private_key
        ? html`
          <p class="small">Save all of this text as a file, such as <code>muster_key</code>.</p>
          <pre><code>${private_key}</code></pre>
        `
        : ""}
    </section>
  `;
}

function viewSteps(
  { in_force }: ConnectionView,
  { keys, password }: SftpLoginView,
  { host, port }: NonNullable<SftpLoginView["server"]>,
  username: string,
): Html {
  const folder = String(in_force!.folder?.value ?? "/"), byKey = keys.length > 0, byPassword = password !== null;
  const target = folder === "/" ? "" : ` ${folder}/`;
  return html`
    <section class="card" aria-labelledby="winscp-title">
      <h2 id="winscp-title">WinSCP</h2>
      <ol>
        <li>Choose <b>New Site</b>, and SFTP as the file protocol.</li>
        <li>Host name <code>${host}</code>, port number <code>${port}</code>, user name <code>${username}</code>${byPassword
          ? ", and the password"
          : ""}.</li>
        ${byKey
          ? html`<li>With a key: <b>Advanced → SSH → Authentication → Private key file</b>. WinSCP offers to turn
          the file into its own form.</li>`
          : ""}
        <li><b>Login</b>, compare the fingerprint, and drag the file into the folder <code>${folder}</code>.</li>
      </ol>
      <h2>FileZilla</h2>
      <ol>
        <li><b>File → Site Manager → New site</b>, with the protocol <b>SFTP</b>.</li>
        <li>Host <code>${host}</code>, port <code>${port}</code>, logon type <b>${byPassword
          ? "Normal"
          : "Key file"}</b>, user <code>${username}</code>.${byPassword && byKey
          ? html`
            With a key the logon type is <b>Key file</b>.
          `
          : ""}</li>
        <li><b>Connect</b>, compare the fingerprint, and drag the file into the folder <code>${folder}</code>.</li>
      </ol>
      <h2>Command line</h2>
      ${byPassword || !byKey ? html`<pre><code>sftp -P ${port} ${username}@${host}</code></pre>` : ""}
      ${byKey ? html`<pre><code>sftp -i muster_key -P ${port} ${username}@${host}</code></pre>` : ""}
      <p>And there:</p>
      <pre><code>put people.csv${target}</code></pre>
    </section>
  `;
}
