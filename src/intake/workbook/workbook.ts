/**
 * A workbook in Office Open XML (ECMA-376): its sheets, and what their cells refer to. Parts are found by their
 * relationships, never by their names, which programs choose as they like.
 *
 * Throws Faults: `workbook_invalid` for what is damaged, protected, of another kind, or has macros; `too_large`.
 */
import { Fault } from "../../model/errors.ts";
import { type NumberFormat, numberFormat, PLAIN } from "./number.ts";
import { attribute, type Attributes, readWhole, readXml } from "./xml.ts";
import { CONTENT_TYPES, type Entries, type Entry, readEntries } from "./zip.ts";

export interface Sheet {
  readonly name: string;
  readonly isHidden: boolean;
  readonly entry: Entry;
}

export interface Workbook {
  /** In the order of their tabs. */
  readonly sheets: readonly Sheet[];
  /** Whether days are counted from 1904. */
  readonly since1904: boolean;
  /** By the number of a cell's style. */
  readonly formats: readonly NumberFormat[];
  /** Texts that cells share, by number. */
  readonly texts: readonly string[];
}

/** Of texts that cells share, in UTF-16 units. */
const MAX_TEXT = 64 * 1024 * 1024;

export function openWorkbook(file: Uint8Array, maxBytes: number): Workbook {
  return readWorkbook(readEntries(file, maxBytes));
}

export function readWorkbook(entries: Entries): Workbook {
  refuseMacros(entries);
  const path = [...relationsOf(entries, "").values()].find(({ type }) => type === "officeDocument")?.target;
  const entry = path === undefined ? undefined : entries.get(path);
  if (entry === undefined) throw notAWorkbook();
  const { sheets, since1904 } = readSheets(entry);
  const relations = relationsOf(entries, path!);
  const partOf = (type: string) => {
    const target = [...relations.values()].find((relation) => relation.type === type)?.target;
    return target === undefined ? undefined : entries.get(target);
  };
  const styles = partOf("styles"), strings = partOf("sharedStrings");
  return {
    since1904,
    sheets: sheets.flatMap(({ name, isHidden, id }) => {
      const relation = relations.get(id);
      // Sheets of charts and dialogs have no cells.
      if (relation === undefined || relation.type !== "worksheet") return [];
      const part = entries.get(relation.target);
      if (part === undefined) {
        throw new Fault("workbook_invalid", `The workbook lacks the sheet "${name}": save it again`);
      }
      return [{ name, isHidden, entry: part }];
    }),
    formats: styles === undefined ? [] : readFormats(styles),
    texts: strings === undefined ? [] : readTexts(strings),
  };
}

function refuseMacros(entries: Entries): void {
  const types = entries.get(CONTENT_TYPES);
  if (types === undefined) throw notAWorkbook();
  let has = [...entries.keys()].some((name) => name.endsWith("vbaproject.bin"));
  readWhole(types, { open: (_, attributes) => has ||= /macroEnabled/i.test(attributes.ContentType ?? "") });
  if (has) throw new Fault("workbook_invalid", "The workbook has macros: save it as .xlsx, without them");
}

interface Relation {
  /** The last part of its address, which the two variants of the standard have in common. */
  readonly type: string;
  readonly target: string;
}

/** What a part refers to, by id; `part` "" for the archive itself. */
function relationsOf(entries: Entries, part: string): ReadonlyMap<string, Relation> {
  const folder = part.includes("/") ? part.slice(0, part.lastIndexOf("/") + 1) : "";
  const entry = entries.get(`${folder}_rels/${part.slice(folder.length)}.rels`);
  const relations = new Map<string, Relation>();
  if (entry === undefined) return relations;
  readWhole(entry, {
    open(name, { Id, Type, Target, TargetMode }) {
      if (name !== "Relationship" || Id === undefined || Target === undefined || TargetMode === "External") return;
      relations.set(Id, { type: (Type ?? "").split("/").at(-1)!, target: resolve(folder, Target) });
    },
  });
  return relations;
}

function resolve(folder: string, target: string): string {
  const path = target.replaceAll("\\", "/");
  const steps: string[] = [];
  for (const step of (path.startsWith("/") ? path : folder + path).split("/")) {
    if (step === "..") steps.pop();
    else if (step !== "" && step !== ".") steps.push(step);
  }
  return steps.join("/").toLowerCase();
}

function readSheets(entry: Entry) {
  const sheets: { name: string; isHidden: boolean; id: string }[] = [];
  let since1904 = false, root: string | null = null;
  readWhole(entry, {
    open(name, attributes) {
      root ??= name;
      if (name === "workbookPr") since1904 = isTrue(attributes.date1904);
      if (name !== "sheet") return;
      const { name: title = "", state = "visible" } = attributes;
      sheets.push({ name: title, isHidden: state !== "visible", id: attribute(attributes, "id") ?? "" });
    },
  });
  if (root !== "workbook") throw notAWorkbook();
  return { sheets, since1904 };
}

export function isTrue(value: string | undefined): boolean {
  return value === "1" || value === "true";
}

/** The formats of cells, by the number of their style. */
function readFormats(entry: Entry): NumberFormat[] {
  const codes = new Map<number, string>();
  const formats: NumberFormat[] = [];
  let ofCells = false;
  readWhole(entry, {
    open(name, attributes) {
      if (name === "numFmt") codes.set(Number(attributes.numFmtId), attributes.formatCode ?? "");
      if (name === "cellXfs") ofCells = true;
      if (name === "xf" && ofCells) formats.push(formatOf(attributes, codes));
    },
    close(name) {
      if (name === "cellXfs") ofCells = false;
    },
  });
  return formats;
}

function formatOf({ numFmtId }: Attributes, codes: ReadonlyMap<number, string>): NumberFormat {
  if (numFmtId === undefined) return PLAIN;
  return numberFormat(Number(numFmtId), codes.get(Number(numFmtId)) ?? null);
}

function readTexts(entry: Entry): string[] {
  const texts: string[] = [];
  const text = createText();
  let total = 0;
  const reading = readXml(entry, {
    open: text.open,
    text: text.text,
    close(name) {
      text.close(name);
      if (name !== "si") return;
      const whole = text.take();
      total += whole.length;
      if (total > MAX_TEXT) {
        throw new Fault("too_large", `The texts of the workbook have over ${MAX_TEXT} characters, which is the limit`);
      }
      texts.push(whole);
    },
  });
  for (const _ of reading);
  return texts;
}

/** The text of a cell or of a shared text: its runs together, without what tells how to pronounce it. */
export function createText() {
  let whole = "", inText = 0, inPhonetic = 0;
  return {
    open(name: string): void {
      if (name === "t") inText++;
      if (name === "rPh") inPhonetic++;
    },
    text(text: string): void {
      if (inText > 0 && inPhonetic === 0) whole += text;
    },
    close(name: string): void {
      if (name === "t") inText--;
      if (name === "rPh") inPhonetic--;
    },
    /** What has come since the last time. */
    take(): string {
      const taken = decodeEscapes(whole);
      whole = "";
      return taken;
    },
  };
}

/** `_x000D_` is the code of a character that XML cannot have (ECMA-376 part 1, 22.9.2.19, ST_Xstring). */
export function decodeEscapes(text: string): string {
  if (!text.includes("_x")) return text;
  return text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
}

function notAWorkbook(): Fault {
  return new Fault("workbook_invalid", "The file is an archive, but not a workbook: save it as .xlsx or CSV");
}
