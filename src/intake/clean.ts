/**
 * The one cleaning of cells and headers, whatever they came in: text as it is stored in a file goes in, text that people
 * mean comes out. And what a cell says when it holds no value at all. No I/O. No clock.
 */
import { unprotect } from "./apostrophe.ts";

const SPACE = 0x20, QUOTE = 0x22, APOSTROPHE = 0x27, EQUALS = 0x3d, TILDE = 0x7e;

/** White space of all kinds: what `trim` takes, and NEL, which is white space of Unicode as well. */
const WHITE = /[\s\u0085]/;
/**
 * Characters that nobody sees, copied along from chats, PDFs and mails: soft hyphen, zero-width space, marks and
 * isolates of writing direction, word joiner and invisible operators, byte order mark.
 */
const INVISIBLE = /[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/g;
/** Zero-width joiner and non-joiner: some scripts need them inside names and text, and emoji are made with them. */
const JOINERS = /[\u200c\u200d]/g;
/** Beyond printable ASCII. */
const BEYOND_ASCII = /[^ -~]/;
/** A formula whose value is a text: how exports keep a spreadsheet from changing it, like `="000123"`. */
const WRAPPED = /^="((?:[^"]|"")*)"$/;

/** `text`: names and free text, in which joiners are letters; `exact`: everything that is compared, where they are not. */
export type Kind = "text" | "exact";

/**
 * The text of a cell or a header without white space at its ends, invisible characters, the apostrophe that spreadsheets
 * need, and a formula around it. Cleaning what is clean changes nothing.
 */
export function cleanCell(cell: string, kind: Kind): string {
  const { length } = cell;
  if (length === 0) return cell;
  const first = cell.charCodeAt(0), last = cell.charCodeAt(length - 1);
  // Most cells need nothing, which their ends and one look for unusual characters show.
  let text = first <= SPACE || last <= SPACE || first > TILDE || last > TILDE ? trimEnds(cell) : cell;
  if (BEYOND_ASCII.test(text)) {
    const seen = text.replace(INVISIBLE, "");
    text = trimEnds(kind === "exact" ? seen.replace(JOINERS, "") : seen);
  }
  const start = text.charCodeAt(0);
  if (start === APOSTROPHE) text = trimEnds(unprotect(text));
  if (text.charCodeAt(0) !== EQUALS || text.charCodeAt(1) !== QUOTE) return text;
  const wrapped = WRAPPED.exec(text);
  return wrapped === null ? text : trimEnds(wrapped[1]!.replaceAll('""', '"'));
}

/** By hand: a regular expression for the end looks at a long row of spaces inside the text again and again. */
function trimEnds(text: string): string {
  let start = 0, end = text.length;
  while (start < end && WHITE.test(text[start]!)) start++;
  while (end > start && WHITE.test(text[end - 1]!)) end--;
  return text.slice(start, end);
}

/** The name of a column, as it is compared and shown. */
export function cleanHeader(header: string): string {
  return cleanCell(header, "exact");
}

/** Why a cell that is not empty has no value. */
export type Flaw = "text_damaged" | "spreadsheet_error" | "placeholder_value";

const REPLACEMENT = "\ufffd", HASH = 0x23;
const LONGEST_PLACEHOLDER = 4;
/** What people and programs write where there is nothing to write; spelled exactly so, and alone in the cell. */
const PLACEHOLDERS: ReadonlySet<string> = new Set(["NULL", "null", "nan", "NaN", "n/a", "N/A", "-"]);
/** What spreadsheets show for a formula that has no value, in the languages in which they show it. */
const ERRORS: ReadonlySet<string> = new Set(
  [
    "#N/A #REF! #NAME? #VALUE! #DIV/0! #NUM! #NULL! #CALC! #SPILL! #GETTING_DATA #FIELD! #BLOCKED! #CONNECT! #BUSY!",
    "#UNKNOWN! #ERROR! #NV #BEZUG! #WERT! #ZAHL! #ÜBERLAUF! #NOM? #VALEUR! #NOMBRE! #NOMBRE? #¡VALOR! #¡REF! #¿NOMBRE?",
    "#¡DIV/0! #¡NUM! #¡NULO! #N/D #VALOR! #NOME? #NÚM! #VALORE! #RIF! #NUL! #NB #WAARDE! #VERW! #GETAL! #NAAM? #LEEG!",
    "#DEEL/0! #ADR! #ARG! #NAZWA? #LICZBA! #ZERO! #N/B! #HODNOTA! #ODKAZ! #NÁZEV? #NENÍ_K_DISPOZICI #ČÍSLO! #DIV/0",
    "#DĚLENÍ_NULOU! #VÆRDI! #REFERENCE! #NAVN? #I/T #VERDI! #NUM #VÄRDEFEL! #SAKNAS! #OGILTIGT! #REFERENS! #NAMN?",
    "#DIVISION/0! #ARVO! #PUUTTUU! #VIITTAUS! #NIMI? #LUKU! #JAKO/0!",
  ].join(" ").split(" "),
);
/** As LibreOffice shows most errors. */
const NUMBERED_ERROR = /^Err:5\d\d$/;

/** Why a cleaned cell has no value; null: it has one. Cheap, as it is asked of every cell. */
export function flawOf(text: string): Flaw | null {
  if (text.length <= LONGEST_PLACEHOLDER && PLACEHOLDERS.has(text)) return "placeholder_value";
  if (text.charCodeAt(0) === HASH && ERRORS.has(text)) return "spreadsheet_error";
  if (text.length === 7 && NUMBERED_ERROR.test(text)) return "spreadsheet_error";
  return text.includes(REPLACEMENT) ? "text_damaged" : null;
}
