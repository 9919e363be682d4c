/** The rows that would make somebody somebody else, on the run page: who is there, who comes, and the buttons that ask. */
import { html } from "hono/html";
import { fieldToRelease } from "../../store/people/identities.ts";
import { deciderInWords, whenInWords } from "../../notify/words.ts";
import type { Question } from "./contradictions.ts";
import type { Html } from "./frame.ts";
import { type IdentityAnswer, mayAnswer, type RunPage } from "./run-page-model.ts";

/** Whether there are rows to decide about, even if none is behind this place. */
export function hasQuestions({ questions }: RunPage): boolean {
  return questions.asked.length > 0 || questions.after >= 0;
}

export function viewContradictions(page: RunPage): Html {
  const { questions: { asked, next, after }, path, source } = page;
  const time = source === null ? "when the file is sent again, or with the next one" : "with the next sync";
  return html`
    <section class="card" id="who" aria-labelledby="who-title">
      <h2 id="who-title">Is it the same person?</h2>
      <p>These rows were not applied. Each has the number or address of a person whom Muster knows, and looks like somebody
      else. Say who it is. Your answer counts from the next time on: ${time}.</p>
      ${mayAnswer(page) ? "" : html`<p>This link shows them. Your Muster administrator decides.</p>`}
      <ul class="bare issues">${asked.map((question) => viewQuestion(page, question))}</ul>
      ${next === null && after < 0 ? "" : html`<div class="after">
        ${
        next === null ? "" : html`<a class="button" rel="next" href="${path}?rows=${next}#who">Show the next rows</a>`
      }
        ${after < 0 ? "" : html`<a class="button" href="${path}#who">Back to the first rows</a>`}
      </div>`}
    </section>
  `;
}

function viewQuestion(page: RunPage, question: Question): Html {
  const { n, line, decision, decider, message, isMoot } = question;
  const canAnswer = mayAnswer(page) && question.there !== null && !isMoot;
  return html`
    <li id="row-${n}">
      ${decision === null ? html`<span class="tag bad">Refused</span>` : html`<span class="tag good">Decided</span>`}
      <span class="small soft">${line === null ? "" : `line ${line}`}</span>
      ${decision?.kind === "accept" ? html`<p class="small soft">${message}</p>` : viewWho(question)}
      ${decision === null
        ? ""
        : html`<p><strong>${decision.kind === "accept" ? "The same person." : "Somebody new."}</strong> Decided on ${
          whenInWords(decision.createdAt, page.timezone)
        }${decider === null ? "" : `, ${deciderInWords(decider, page.rights.approve)}`}. ${DECIDED[decision.kind]}</p>`}
      ${canAnswer
        ? viewForm(page, question, decision === null ? ["accept", "release"] : ["undo"])
        : isMoot
        ? html`<p class="small soft">This person no longer has the id or address of the row, so there is nothing to
        decide.</p>`
        : question.there === null && mayAnswer(page)
        ? html`<p class="small soft">This person is not among those whom this link shows. Your Muster administrator
        decides.</p>`
        : ""}
    </li>
  `;
}

const DECIDED = {
  accept: "The row is applied to this person's record.",
  release: "The old record stays, inactive, and the row makes a new person.",
} as const;

/** Who has the number or address now, and whom the row is about. */
function viewWho({ known, comes, message }: Question): Html {
  if (known.length === 0) return html`<p>${message}</p>`;
  return html`
    <dl class="versus">
      <div>
        <dt>Known until now</dt>
        <dd>${viewValues(known)}</dd>
      </div>
      <div>
        <dt>In this row</dt>
        <dd>${comes.length === 0 ? "no longer stored" : viewValues(comes)}</dd>
      </div>
    </dl>
  `;
}

function viewValues([first, ...others]: readonly string[]): Html {
  return html`<strong>${first}</strong>${others.map((value) => html`<br>${value}`)}`;
}

const BUTTONS: Record<IdentityAnswer, string> = {
  accept: "The same person…",
  release: "Somebody new…",
  undo: "Undo this…",
};

function viewForm(page: RunPage, question: Question, answers: readonly IdentityAnswer[]): Html {
  return html`
    <form class="decide" method="post" action="${addressOf(page.path, page.questions.after)}">
      ${page.fields}${hiddenFields(question)}
      ${answers.map((answer) => html`<button name="answer" value="${answer}">${BUTTONS[answer]}</button>`)}
    </form>
  `;
}

function addressOf(path: string, after: number): string {
  return `${path}/identity${after < 0 ? "" : `?rows=${after}`}`;
}

/** The row, and the version of its user that was looked at. */
function hiddenFields({ n, there }: Question): Html {
  return html`
    <input type="hidden" name="row" value="${n}">
    <input type="hidden" name="version" value="${there!.version}">
  `;
}

/** The question before a decision. Only the form on this page decides. `after`: the place of the page that it came from. */
export function viewIdentityConfirmation(
  { question, answer, path, fields, after }: {
    question: Question;
    answer: IdentityAnswer;
    path: string;
    fields: Html;
    after: number;
  },
): Html {
  const { title, text, yes } = answer === "undo" ? undoing(question) : answering(question, answer);
  return html`
    <section class="card state ${answer === "release" ? "bad" : "held"}">
      <h1>${title}</h1>
      ${viewWho(question)}
      <p>${text}</p>
    </section>
    <div class="decide">
      <form method="post" action="${addressOf(path, after)}">
        ${fields}${hiddenFields(question)}
        <input type="hidden" name="answer" value="${answer}">
        <input type="hidden" name="confirmed" value="yes">
        <button class="${answer === "release" ? "stop" : "go"}">${yes}</button>
      </form>
      <a class="button" href="${backTo(path, after, question.n)}">No, go back</a>
    </div>
  `;
}

/** The row's place on the page. */
export function backTo(path: string, after: number, n: number): string {
  return `${path}${after < 0 ? "" : `?rows=${after}`}#row-${n}`;
}

interface Words {
  readonly title: string;
  readonly text: string;
  readonly yes: string;
}

function answering({ known, row, there }: Question, answer: "accept" | "release"): Words {
  if (answer === "accept") {
    return {
      title: "Is it the same person?",
      text:
        "The next time, the row is applied to this record: it gets the name and the values of the row, and keeps its " +
        "history. This decision can be undone until then.",
      yes: "Yes, the same person",
    };
  }
  const field = fieldToRelease(there!, row);
  const loses = field === null ? "" : LOSES[field];
  const now = there!.user.status === "active" ? "becomes inactive" : "stays inactive";
  return {
    title: "Is it somebody new?",
    text:
      `The record of ${known[0]} ${now} at once${loses}. The next time, the row makes a new person. This decision ` +
      "can be undone until somebody new has been made.",
    yes: "Yes, somebody new",
  };
}

const LOSES = {
  employee_id: " and loses its employee ID",
  email: " and loses its email",
  mobile_phone: " and loses its mobile phone",
} as const;

function undoing({ decision, known }: Question): Words {
  return {
    title: "Undo the decision?",
    text: decision!.kind === "accept"
      ? "The row is refused again. What it has changed by then stays, and your Muster administrator can revert it."
      : `The record of ${known[0]} is at once as it was before the decision.`,
    yes: "Yes, undo it",
  };
}
