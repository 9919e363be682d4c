/** All text of a workbook, to be searched: what every part says, and what the cells of every sheet show, hidden ones too. */
import { readSheet } from "./sheet.ts";
import { readWorkbook } from "./workbook.ts";
import { readXml } from "./xml.ts";
import type { Entries, Entry } from "./zip.ts";

const SECTION_CHARACTERS = 64 * 1024;
const MAX_COLUMN = 16_384;
/** Elements inside one text, which do not part words. */
const INLINE: ReadonlySet<string> = new Set(["t", "r", "rPr", "b", "i", "sz", "color"]);

/** Sections of text; no word is cut between two of them. Throws the Faults of a workbook that cannot be read. */
export function* textOf(entries: Entries): Generator<string, void> {
  for (const entry of entries.values()) {
    if (/\.(?:xml|rels|vml)$/i.test(entry.name)) yield* textOfPart(entry);
  }
  const workbook = readWorkbook(entries);
  for (const sheet of workbook.sheets) {
    let section = "";
    for (const { cells } of readSheet(workbook, sheet, MAX_COLUMN)) {
      section += `${cells.join("\t")}\n`;
      if (section.length < SECTION_CHARACTERS) continue;
      yield section;
      section = "";
    }
    yield section;
  }
}

function* textOfPart(entry: Entry): Generator<string, void> {
  let section = "";
  const reading = readXml(entry, {
    text: (text) => section += text,
    close: (name) => {
      if (!INLINE.has(name)) section += "\n";
    },
  });
  for (const _ of reading) {
    const end = section.lastIndexOf("\n");
    if (end < SECTION_CHARACTERS) continue;
    yield section.slice(0, end);
    section = section.slice(end + 1);
  }
  yield section;
}
