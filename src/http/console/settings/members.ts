/** Members: who they are, inviting somebody, another role, and removing, which asks once more. */
import type { Context } from "hono";
import { html } from "hono/html";
import { Fault } from "../../../model/errors.ts";
import { type Role, ROLE_NAMES, ROLES } from "../../../model/role.ts";
import { whenInWords } from "../../../notify/words.ts";
import type { InvitedMember, MemberView } from "../../api/members.ts";
import { route } from "../../kit/describe.ts";
import type { Env } from "../../kit/env.ts";
import type { Html } from "../../pages/frame.ts";
import type { Listed } from "../api.ts";
import { type Typed, UNTYPED, viewInput, viewSelect } from "../fields.ts";
import { statusOf, tryChange, versionField, viewRefused } from "../forms.ts";
import { formFields } from "../frame.ts";
import { PAGE, readOwnForm } from "../guards.ts";
import { queryOf, viewPaging } from "../lists.ts";
import { answerSettings, settingsPath } from "./frame.ts";

const MEMBERS_A_PAGE = 50;

export const showMembers = route(PAGE, (c) => answerList(c, UNTYPED));

export const inviteMember = route(PAGE, async (c) => {
  const form = await readOwnForm(c);
  const name = form.get("name")?.trim() ?? "";
  const body = { email: form.get("email"), role: form.get("role"), name: name === "" ? null : name };
  const tried = await tryChange(() => c.get("api")!.send<InvitedMember>("/v1/members", { method: "POST", body }));
  return "refused" in tried ? await answerList(c, { form, ...tried }) : await answerInvited(c, tried.done);
});

export const showMember = route(PAGE, async (c) => {
  const member = await load(c);
  return await answerSettings(c, { title: nameOf(member), page: "/members", main: viewMember(c, member) });
});

export const changeMember = route(PAGE, async (c) => {
  const form = await readOwnForm(c);
  const body = { role: form.get("role") };
  await c.get("api")!.send(apiPath(c), { method: "PATCH", body, version: form.get("version") });
  return c.redirect(settingsPath(c, "/members"), 303);
});

export const inviteAgain = route(PAGE, async (c) => {
  await readOwnForm(c);
  const invited = await c.get("api")!.send<InvitedMember>(`${apiPath(c)}/invite`, { method: "POST", body: {} });
  return await answerInvited(c, invited);
});

/** The page of the question, also without a script, and when it is loaded again. */
export const askToRemove = route(PAGE, async (c) => {
  const member = await load(c);
  return await answerSettings(c, {
    title: "Remove?",
    page: "/members",
    main: html`
      <section class="card state bad">
        <h1>Remove ${nameOf(member)}?</h1>
        <p>${member
          .email} is signed out everywhere at once, and cannot sign in any more. What they did stays in the history.</p>
        <p>Links to runs and webhook endpoints that they made stop working. Tokens that they made go on.</p>
        <div class="decide">
          <form method="post" action="${settingsPath(c, `/members/${member.id}/remove`)}">${formFields(
            c,
          )}${versionField(member.version)}
            <button class="stop">Remove</button></form>
          <a class="button" href="${settingsPath(c, `/members/${member.id}`)}">Back</a>
        </div>
      </section>
    `,
  });
});

export const removeMember = route(PAGE, async (c) => {
  const form = await readOwnForm(c);
  try {
    await c.get("api")!.send(apiPath(c), { method: "DELETE", version: form.get("version") });
  } catch (error) {
    // Gone already is as good.
    if (!(error instanceof Fault) || error.code !== "not_found") throw error;
  }
  return c.redirect(settingsPath(c, "/members"), 303);
});

async function load(c: Context<Env>): Promise<MemberView> {
  return await c.get("api")!.read<MemberView>(apiPath(c));
}

function apiPath(c: Context<Env>): string {
  return `/v1/members/${encodeURIComponent(c.req.param("id") ?? "")}`;
}

async function answerList(c: Context<Env>, typed: Typed): Promise<Response> {
  const cursor = c.req.query("cursor"), path = settingsPath(c, "/members");
  const { data, next_cursor } = await c.get("api")!.read<Listed<MemberView>>(
    `/v1/members?${queryOf({ limit: String(MEMBERS_A_PAGE), cursor })}`,
  );
  return await answerSettings(c, {
    title: "Members",
    page: "/members",
    main: html`
      <h1>Members</h1>
      ${viewInvite(c, path, typed)}
      <section class="card" aria-labelledby="members-title">
        <h2 id="members-title">Who may sign in</h2>
        ${data.length === 0
          ? html`<p>Nobody yet. Until you invite somebody, people sign in with tokens.</p>`
          : html`<ul class="bare rowlist">${data.map((member) => viewListed(c, member, path))}</ul>`}
        ${viewPaging(path, next_cursor, cursor === undefined)}
      </section>
    `,
  }, statusOf(typed.refused));
}

function viewListed(c: Context<Env>, member: MemberView, path: string): Html {
  return html`
    <li>
      <div class="who"><h3><a href="${path}/${member.id}">${nameOf(member)}</a></h3>
        ${member.name === null ? "" : html`<span class="soft">${member.email}</span>`}
        <span class="tag plain">${member.role}</span></div>
      <p class="small soft">${lastSignIn(c, member)}</p>
    </li>
  `;
}

function lastSignIn(c: Context<Env>, { last_sign_in_at, created_at }: MemberView): string {
  const inWords = (instant: string) => whenInWords(Date.parse(instant), c.get("organization").timezone);
  return last_sign_in_at === null
    ? `Invited ${inWords(created_at)}, has not signed in yet`
    : `Signed in last ${inWords(last_sign_in_at)}`;
}

function viewInvite(c: Context<Env>, path: string, typed: Typed): Html {
  return html`
    ${viewRefused(typed.refused, "Nobody was invited")}
    <section class="card" aria-labelledby="invite-title">
      <h2 id="invite-title">Invite somebody</h2>
      <form class="form" method="post" action="${path}">
        ${formFields(c)}
        ${viewInput({ name: "email", label: "Their work address", type: "email", isRequired: true, most: 254 }, typed)}
        ${viewInput({ name: "name", label: "Name, if you like", most: 254 }, typed)}
        ${viewRoles("viewer", typed)}
        <div class="decide"><button class="go">Invite</button></div>
      </form>
    </section>
  `;
}

/** The roles to choose from, with what each may. */
function viewRoles(value: Role, typed: Typed): Html {
  const options = ROLE_NAMES.map((role) => ({ value: role, title: role }));
  return html`
    ${viewSelect({ name: "role", label: "Role", value, options }, typed)}
    <ul class="bare small soft">${ROLE_NAMES.map((role) =>
      html`<li><strong>${role}</strong>: can ${ROLES[role].may}</li>`
    )}</ul>
  `;
}

function viewMember(c: Context<Env>, member: MemberView): Html {
  const path = settingsPath(c, `/members/${member.id}`);
  const isSelf = c.get("visitor")!.bearer.key === member.id;
  return html`
    <section class="card">
      <h1>${nameOf(member)}</h1>
      <p class="soft">${member.email}, ${member.role}</p>
      <p class="small soft">${lastSignIn(c, member)}</p>
    </section>
    ${isSelf
      ? html`
        <section class="card">
          <p>This is you. Another admin can change your role, or remove you.</p>
        </section>
      `
      : html`
        <section class="card" aria-labelledby="role-title">
          <h2 id="role-title">Another role</h2>
          <p>They are signed out everywhere, and have the new role from their next sign-in on.</p>
          <form class="form" method="post" action="${path}">
            ${formFields(c)}${versionField(member.version)}${viewRoles(member.role, UNTYPED)}
            <div class="decide"><button class="go">Change role</button></div>
          </form>
        </section>
        <section class="card" aria-labelledby="more-title">
          <h2 id="more-title">Access</h2>
          <div class="decide">
            <form method="post" action="${path}/invite">${formFields(c)}<button>Invite again</button></form>
            <a class="button" href="${path}/remove">Remove…</a>
          </div>
        </section>
      `}
  `;
}

/** A link that cannot be mailed is shown here alone: it is in no address, and not shown again. */
function answerInvited(c: Context<Env>, { email, link, not_mailed }: InvitedMember): Promise<Response> {
  const back = html`<p><a href="${settingsPath(c, "/members")}">Members</a></p>`;
  return answerSettings(c, {
    title: "Invited",
    page: "/members",
    main: link === null
      ? html`
        <section class="card state good">
          <h1>An invitation is on its way</h1>
          <p>A mail to ${email} has a link that signs in once, within 7 days.</p>
          ${back}
        </section>
      `
      : html`
        <section class="card state held">
          <h1>Pass this link on yourself</h1>
          <p>${not_mailed}.</p>
          <p>Until then, send this link to ${email} in a way that nobody else reads: who opens it first is signed in as
            them. It works once, within 7 days, and is not shown again.</p>
          <p><code>${link}</code></p>
          ${back}
        </section>
      `,
  });
}

function nameOf({ name, email }: MemberView): string {
  return name ?? email;
}
