/** The looks of the pages for people: one text, allowed by its hash, so that nothing else can style them. */

/** Around each page. What is inside has its looks from STYLE, or its own. */
export const FRAME_STYLE = `
:root {
  color-scheme: light dark;
  --page: #f5f5f2; --card: #ffffff; --text: #1d2327; --soft: #555e66; --line: #d9dbd6; --hover: #f0f1ed;
  --link: #0b57a4; --go: #14532d; --go-text: #ffffff; --focus: #0b57a4;
  --held: #8a4b00; --held-back: #fdf3e3; --bad: #a11b1b; --bad-back: #fcecec;
  --good: #1b6534; --good-back: #e9f5ec; --calm: #0b4f8f; --calm-back: #e9f1fa; --plain: #4b535a; --plain-back: #eceeea;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15181a; --card: #1e2326; --text: #e8eaea; --soft: #aab3b8; --line: #384045; --hover: #272d31;
    --link: #8cc2ff; --go: #2f8f55; --go-text: #06150c; --focus: #8cc2ff;
    --held: #ffc46b; --held-back: #33270f; --bad: #ff9d94; --bad-back: #3a1c1b;
    --good: #86dba1; --good-back: #16301f; --calm: #9ccbff; --calm-back: #152a40; --plain: #c0c8cc; --plain-back: #2a3034;
  }
}
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100% }
body {
  margin: 0; background: var(--page); color: var(--text); line-height: 1.5;
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere;
}
.top, .sections, main, footer { max-width: 48rem; margin: 0 auto; padding: 0 1rem }
.top { display: flex; gap: .5rem 1rem; flex-wrap: wrap; align-items: baseline; padding-top: 1.25rem; font-size: .9375rem }
.top strong { letter-spacing: .02em }
.top span { color: var(--soft) }
main { padding-top: .75rem }
main > h1 { margin: .5rem 0 1rem }
.sections { display: flex; gap: .25rem 1.25rem; flex-wrap: wrap; justify-content: space-between; margin-top: .5rem }
.sections ul { display: flex; flex-wrap: wrap; margin: 0 -.5rem }
.sections a { display: block; padding: .375rem .5rem; font-size: .9375rem; border-radius: 8px; text-decoration: none }
.sections a:hover { background: var(--hover) }
.sections a[aria-current] { font-weight: 650; color: var(--text); text-decoration: underline; text-underline-offset: .375em }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 4px }
.skip:not(:focus) { position: absolute; left: -999rem }
`;

export const STYLE = `${FRAME_STYLE}
h1 { font-size: 1.625rem; line-height: 1.2; margin: 0; font-weight: 650; text-wrap: balance }
h2 { font-size: 1.1875rem; line-height: 1.3; margin: 0 0 .75rem; font-weight: 650 }
h3 { font-size: 1rem; line-height: 1.4; margin: 0; font-weight: 650 }
p { margin: 0 0 .75rem }
a { color: var(--link); text-underline-offset: .15em }
.soft { color: var(--soft) }
.small { font-size: .875rem }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.125rem; margin: 0 0 1rem }
.card > :last-child { margin-bottom: 0 }
.state { border-left: 6px solid var(--tone) }
.state h1 { margin: .5rem 0 .25rem }
.state p { margin: .25rem 0 0 }
.tag {
  display: inline-block; padding: .0625rem .5rem; border-radius: 99px; font-size: .8125rem; font-weight: 600;
  color: var(--tone); background: var(--tone-back); white-space: nowrap;
}
.held { --tone: var(--held); --tone-back: var(--held-back) }
.bad { --tone: var(--bad); --tone-back: var(--bad-back) }
.good { --tone: var(--good); --tone-back: var(--good-back) }
.calm { --tone: var(--calm); --tone-back: var(--calm-back) }
.plain { --tone: var(--plain); --tone-back: var(--plain-back) }
.note { border-color: var(--tone); background: var(--tone-back) }
.note h2 { color: var(--tone); margin-bottom: .25rem }
ul.bare, ol.bare { list-style: none; margin: 0; padding: 0 }
* + ul.issues, ul + .decide { margin-top: 1rem }
h2 + ul.issues { margin-top: 0 }
.guards > li + li { margin-top: .875rem }
.guards p { margin: .125rem 0 0 }
.guards b { font-variant-numeric: tabular-nums }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); gap: .625rem }
.figures li { border: 1px solid var(--line); border-radius: 10px }
.figures li > * { display: block; padding: .625rem .75rem; color: inherit; text-decoration: none; height: 100% }
.figures a:hover { background: var(--hover); border-radius: 10px }
.figures b { display: block; font-size: 1.5rem; line-height: 1.2; font-weight: 650; font-variant-numeric: tabular-nums }
.figures a span { text-decoration: underline; text-decoration-color: var(--line); text-underline-offset: .2em }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 16rem), 1fr)); gap: 1rem 1.5rem; margin: 0 0 .75rem }
.charts b { font-size: 1.25rem; font-variant-numeric: tabular-nums }
.charts svg { display: block; width: 100%; height: 2.5rem; margin-top: .25rem }
.charts .bar { fill: var(--tone) }
.charts .base { stroke: var(--line); stroke-width: 1 }
.rows { margin-top: 1rem; padding-left: 1.25rem }
.decide { display: flex; gap: .625rem; flex-wrap: wrap }
.decide form { display: contents }
button, .button {
  font: inherit; font-weight: 600; min-height: 2.75rem; padding: .5rem 1.125rem; border-radius: 9px; cursor: pointer;
  border: 1px solid var(--line); background: var(--card); color: var(--text); text-decoration: none;
  display: inline-flex; align-items: center; justify-content: center; text-align: center;
}
button:hover, .button:hover { background: var(--hover) }
button.go { background: var(--go); border-color: var(--go); color: var(--go-text) }
button.go:hover { filter: brightness(1.12) }
button.stop { color: var(--bad); border-color: currentColor }
.search { display: flex; gap: .5rem; flex-wrap: wrap; margin: 0 0 .75rem }
.search label { flex-basis: 100%; font-weight: 600 }
.fields + p { margin-top: .875rem }
.rowlist > li:first-child { border-top: 0; padding-top: 0 }
select, .fields input, .search input[type=search] { max-width: 100% }
.fields label { font-weight: 600 }
.search input[type=search], .fields input:not([type=hidden]), select {
  flex: 1 1 12rem; min-width: 0; min-height: 2.75rem; padding: .5rem .75rem; font: inherit; color: inherit;
  border: 1px solid var(--soft); border-radius: 9px; background: var(--page);
}
.form { display: grid; gap: 1rem }
.form p { margin: 0 }
.field { display: grid; gap: .25rem }
.field > label, legend { font-weight: 600 }
.field input, .field select, textarea {
  width: 100%; min-width: 0; min-height: 2.75rem; padding: .5rem .75rem; font: inherit; color: inherit;
  border: 1px solid var(--soft); border-radius: 9px; background: var(--page);
}
textarea { font: .875rem/1.5 ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; resize: vertical }
[aria-invalid] { border-color: var(--bad) }
.wrong { color: var(--bad); font-weight: 600; font-size: .875rem }
fieldset { display: grid; gap: .75rem; min-width: 0; margin: 0; padding: .75rem 1rem 1rem; border: 1px solid var(--line); border-radius: 10px }
fieldset.inner { gap: .25rem }
legend { padding: 0 .375rem; margin-left: -.375rem }
.form details > :not(summary), .form .card > * + * { margin-top: 1rem }
.form .card h2 { margin-bottom: 0 }
.form > .card { margin: 0 }
details .form { margin: .75rem 0 1.25rem }
.tree .tree { margin-left: .5rem; padding-left: .875rem; border-left: 1px solid var(--line) }
.tree li { padding: .25rem 0 }
.tree p { margin: 0 }
.steps { margin: 0; padding-left: 1.25rem }
.steps li + li { margin-top: .75rem }
.rules li + li { margin-top: .5rem }
.rules + h2 { margin-top: 1.25rem }
pre { white-space: pre-wrap; padding: .75rem; margin: 0 0 .75rem; background: var(--page); border: 1px solid var(--line); border-radius: 9px }
.wide { overflow-x: auto; margin: 0 0 .75rem; overflow-wrap: normal }
.wide table { border-collapse: collapse; font-size: .9375rem }
.wide th, .wide td { text-align: left; padding: .375rem .75rem; border: 1px solid var(--line); white-space: nowrap }
.filter { grid-template-columns: repeat(auto-fit, minmax(min(100%, 12rem), 1fr)); align-items: start }
.filter > .decide { grid-column: 1 / -1 }
.form > .decide, .form > p, .form > h2 { margin: 0 }
.rowlist .facts { margin-top: .375rem }
.ticks legend { padding: 0 }
.field p, .ticks > p { margin: 0 }
.field [aria-invalid] { border: 2px solid var(--bad) }
.ticks { display: block; border: 0; margin: 0; padding: 0; min-width: 0 }
.ticks legend { margin-left: 0 }
.ticks.short { columns: 11rem }
.ticks.short legend, .ticks.short > p { column-span: all }
.tick { break-inside: avoid; display: flex; gap: .625rem; align-items: baseline; padding: .3125rem 0 }
.tick input { flex: none; width: 1.125rem; height: 1.125rem; margin: 0; translate: 0 .1875rem; accent-color: var(--go) }
.answer { margin: .375rem 0 0; font: .8125rem/1.4 ui-monospace, monospace; white-space: pre-wrap; color: var(--soft) }
.secret { display: block; padding: .625rem .75rem; border-radius: 9px; background: var(--card); user-select: all }
.chips { display: flex; gap: .375rem; flex-wrap: wrap; margin: 0 0 .75rem; padding: 0; list-style: none }
.chips a {
  display: inline-block; padding: .3125rem .75rem; border-radius: 99px; border: 1px solid var(--line);
  text-decoration: none; color: inherit; font-size: .9375rem;
}
.chips a:hover { background: var(--hover) }
.chips a[aria-current] { background: var(--text); border-color: var(--text); color: var(--card) }
.people > li, .issues > li, .rowlist > li { border-top: 1px solid var(--line); padding: .75rem 0 }
.people > li:last-child, .issues > li:last-child, .rowlist > li:last-child { padding-bottom: 0 }
.who { display: flex; gap: .125rem .625rem; flex-wrap: wrap; align-items: baseline }
.who .tag { margin-left: auto }
.fields { margin: .375rem 0 0; display: grid; gap: .1875rem .75rem; font-size: .9375rem }
.fields div { display: flex; gap: 0 .5rem; flex-wrap: wrap }
.fields dt { color: var(--soft); min-width: 8.5rem }
.fields dd { margin: 0 }
.fields del { color: var(--soft); text-decoration-thickness: 1px }
.fields ins { text-decoration: none; font-weight: 600 }
details summary { cursor: pointer; padding: .25rem 0; color: var(--link); font-size: .9375rem }
.after { display: flex; gap: .625rem; flex-wrap: wrap; align-items: center; margin-top: .875rem }
.issues p, .people p, .rowlist p { margin: .1875rem 0 0 }
.versus { margin: .5rem 0; display: grid; grid-template-columns: 1fr 1fr; gap: .625rem }
.versus div { border: 1px solid var(--line); border-radius: 10px; padding: .625rem .75rem; min-width: 0 }
.versus dt { color: var(--soft); font-size: .875rem }
.versus dd { margin: 0 }
.card > .versus { margin: 0 }
.versus code { white-space: pre-wrap }
.help h2 { margin: 1.25rem 0 .25rem }
li .decide { margin-top: .625rem }
progress { width: 100%; height: .5rem; accent-color: var(--go) }
.facts { margin: 0; display: grid; grid-template-columns: max-content 1fr; gap: .375rem 1.25rem; font-size: .9375rem }
.facts dt { color: var(--soft) }
.facts dd { margin: 0 }
h1 + .facts, .facts + *, .steps + p { margin-top: .875rem }
code { font: .875em/1.4 ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace }
footer { color: var(--soft); font-size: .875rem; padding-top: .25rem; padding-bottom: 2.5rem }
@media (max-width: 30rem) {
  h1 { font-size: 1.375rem }
  .decide button, .decide .button, .search button { flex: 1 1 100% }
  .facts, .versus { grid-template-columns: 1fr }
  .facts { gap: 0 }
  .facts dd { margin-bottom: .5rem }
  .fields dt { min-width: 6.5rem }
  .who .soft { flex-basis: 100%; order: 2 }
  .who .tag { margin-left: 0 }
}
@media print { .sections, .decide, .search, .chips, .after, .skip { display: none } .card { border: 0; padding: 0 } }
@media (prefers-reduced-motion: no-preference) { button, .button, .chips a { transition: background .12s } }
`;
