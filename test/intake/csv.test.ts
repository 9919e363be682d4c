import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readCsv } from "../../src/intake/csv.ts";
import { bytesOf, OPTIONS, readAll, utf16 } from "./bytes.ts";

/** RFC 4180 by the book, character by character: what the fast way must agree with. */
function parseSlowly(text: string, delimiter: string): { line: number; cells: string[] }[] {
  const records: { line: number; cells: string[] }[] = [];
  let line = 1;
  for (let i = 0; i < text.length;) {
    const cells: string[] = [];
    const first = line;
    let blank = true;
    for (;;) {
      let cell = "";
      const space = (char: string | undefined) => char !== undefined && char !== delimiter && /[^\S\r\n]/.test(char);
      let open = i;
      while (space(text[open])) open++;
      const quoted = text[open] === '"';
      if (quoted) {
        for (i = open + 1; !(text[i] === '"' && text[i + 1] !== '"'); i++) {
          if (text[i] === '"') i++;
          if (text[i] === "\n" || (text[i] === "\r" && text[i + 1] !== "\n")) line++;
          cell += text[i];
        }
        i++;
        while (space(text[i])) i++;
      } else {while (
          i < text.length && text[i] !== delimiter && text[i] !== "\n" &&
          text[i] !== "\r"
        ) cell += text[i++];}
      cells.push(cell);
      if (cell.trim() !== "") blank = false;
      if (text[i] !== delimiter) break;
      i++;
    }
    if (text[i] === "\r" && text[i + 1] === "\n") i++;
    i++;
    line++;
    if (!blank) records.push({ line: first, cells });
  }
  return records;
}

const DELIMITERS = [",", ";", "\t", "|"] as const;
const word = fc.string({
  unit: fc.constantFrom("a", "b", "é", "名", "😀", "'", '"', ",", ";", "\t", "|", " ", "\n", "\r", "1", "\u00a0"),
  maxLength: 6,
});
const spaces = fc.string({ unit: fc.constantFrom(" ", "\t", "\u00a0", "\u3000", "\u2009", "\ufeff"), maxLength: 3 });
const table = fc.record({
  delimiter: fc.constantFrom(...DELIMITERS),
  rows: fc.array(
    fc.array(
      fc.record({ text: word, quote: fc.boolean(), before: spaces, after: spaces }),
      { minLength: 1, maxLength: 4 },
    ),
    { maxLength: 8 },
  ),
  ends: fc.array(
    fc.constantFrom("\n", "\r\n", "\r", "\n\n", "\r\n \r\n", "\n\u00a0\n"),
    { minLength: 1, maxLength: 4 },
  ),
});

/** The table as text: quoted where it must be or by chance, with line ends in turn. */
function write({ delimiter, rows, ends }: typeof table extends fc.Arbitrary<infer T> ? T : never): string {
  const header = `h1${delimiter}h2${delimiter}h3\n`;
  return header + rows.map((cells, i) => {
    const written = cells.map(({ text, quote, before, after }) => {
      const must = text.trim().startsWith('"') || text.includes(delimiter) ||
        /[\r\n]/.test(text);
      const around = (white: string) => delimiter === "\t" ? white.replaceAll("\t", "") : white;
      return quote || must ? `${around(before)}"${text.replaceAll('"', '""')}"${around(after)}` : text;
    });
    return written.join(delimiter) + ends[i % ends.length];
  }).join("");
}

/** Cells too many at the end of a row do not count when they are empty. */
function trimmed(cells: readonly string[]): readonly string[] {
  const kept = [...cells];
  while (kept.length > 3 && kept.at(-1)!.trim() === "") kept.pop();
  return kept;
}

test("rows are those of a simple RFC 4180 parser, however they are quoted and their lines end", async () => {
  await fc.assert(
    fc.asyncProperty(table, async (spec) => {
      const text = write(spec);
      const expected = parseSlowly(text, spec.delimiter).slice(1);
      const read = await readAll(readCsv, text, { delimiter: spec.delimiter });
      assert.deepEqual(read.columns, ["h1", "h2", "h3"]);
      assert.deepEqual(read.cells, expected.map(({ cells }) => trimmed(cells)));
      assert.deepEqual(read.lines, expected.map(({ line }) => line));
    }),
    { numRuns: 400 },
  );
});

test("a file cut into any chunks reads the same, in every encoding", async () => {
  await fc.assert(
    fc.asyncProperty(
      table,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
      async (spec, sizes) => {
        const text = write(spec);
        const whole = await readAll(readCsv, text, { delimiter: spec.delimiter });
        for (const bytes of [new TextEncoder().encode(`\ufeff${text}`), utf16(text, false), utf16(text, true)]) {
          assert.deepEqual(await readAll(readCsv, bytes, { delimiter: spec.delimiter }, sizes), whole);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("a file of many windows reads the same as its rows one by one, whatever the chunks", async () => {
  const rows = Array.from({ length: 30_000 }, (_, i) => [`${i}`, `Ünï "${i}"\r\n名`, i % 3 ? "plain" : "with, comma"]);
  const text = "a,b,c\r\n" + rows.map(([a, b, c]) => `${a},"${b!.replaceAll('"', '""')}","${c}"\r\n`).join("");
  for (const sizes of [[1 << 20], [65_536], [4093, 1, 65_537]]) {
    const read = await readAll(readCsv, text, {}, sizes);
    assert.deepEqual(read.cells, rows);
    assert.equal(read.lines[29_999], 2 * 29_999 + 2);
    assert.equal(new Set(read.digests).size, 30_000);
  }
});

test("rows that are asked for are decoded, and no others", async () => {
  const text = "a,b\n1,x\r\n2,\xff\n3,z\n";
  const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
  for await (const block of readCsv(new Response(bytes).body!, OPTIONS, { ...report })) {
    assert.deepEqual(block.rows([0, 2]).map((row) => row.cells), [["1", "x"], ["3", "z"]]);
    assert.deepEqual(block.rows([]), []);
    assert.equal(block.line(2), 4);
    assert.throws(() => block.rows([1]), { code: "encoding_invalid", line: 3 });
  }
});

test("equal rows have equal digests wherever they stand, and a changed one has another", async () => {
  const { digests } = await readAll(readCsv, "a,b\n1,x\n2,y\r\n1,x\r1,x ");
  assert.equal(digests[0], digests[2]);
  assert.notEqual(digests[0], digests[1]);
  assert.notEqual(digests[0], digests[3]);
});

test("a quote inside an unquoted cell is text", async () => {
  const { cells } = await readAll(readCsv, 'a,b\n5" pipe,say "hi", x\nz,O"Neil\n', { delimiter: "," });
  assert.deepEqual(cells, [['5" pipe', 'say "hi"', " x"], ["z", 'O"Neil']]);
});

test("cells stay as they are: apostrophes, spaces, zeros", async () => {
  const { cells } = await readAll(readCsv, "a,b\n'000123, x \n007,'t Hart\n");
  assert.deepEqual(cells, [["'000123", " x "], ["007", "'t Hart"]]);
});

test("names of columns are trimmed; empty ones at the end are none, and an empty one in the middle keeps its place", async () => {
  const { columns, cells } = await readAll(readCsv, " a ,,b,, \n1,2,3,,\n1,2,3,4\n1,2\n1,2,3, ,\n");
  assert.deepEqual(columns, ["a", "", "b"]);
  assert.deepEqual(cells, [["1", "2", "3"], ["1", "2", "3", "4"], ["1", "2"], ["1", "2", "3"]]);
});

test("a name of a column that was protected for a spreadsheet is itself again", async () => {
  assert.deepEqual((await readAll(readCsv, "a,'=b,'c\n")).columns, ["a", "=b", "'c"]);
});

test("blank lines, and lines of empty cells only, are skipped but counted", async () => {
  const { cells, lines } = await readAll(readCsv, '\n\na,b\n\n1,2\n,\n  \n"",""\n3,4\n,,,,\n');
  assert.deepEqual(cells, [["1", "2"], ["3", "4"]]);
  assert.deepEqual(lines, [5, 9]);
});

test("a line is the physical one, where breaks inside quotes count", async () => {
  const { lines } = await readAll(readCsv, 'a,b\r\n1,"x\r\ny\rz\n"\r\n2,x\r3,y\n');
  assert.deepEqual(lines, [2, 6, 7]);
});

test("one column needs no delimiter, and may have them in its cells", async () => {
  const { columns, cells, report } = await readAll(readCsv, 'name\nFinance\nLegal, Risk\n"A; B"\n');
  assert.deepEqual(columns, ["name"]);
  assert.deepEqual(cells, [["Finance"], ["Legal, Risk"], ["A; B"]]);
  assert.equal(report.delimiter, null);
});

test("a header alone shows its columns", async () => {
  for (const text of ["a,b", "a,b\n", "a,b\r\n\r\n"]) {
    const read = await readAll(readCsv, text);
    assert.deepEqual(read.columns, ["a", "b"]);
    assert.deepEqual(read.cells, []);
  }
});

test("the report says whether the last line ended", async () => {
  for (
    const [text, ends] of [["a,b\n1,2\n", true], ["a,b\n1,2\r", true], ["a,b\n1,2", false], [
      'a,b\n1,"2"',
      false,
    ]] as const
  ) {
    assert.equal((await readAll(readCsv, text)).report.endsWithLineEnd, ends, text);
  }
});

test("white space around a quoted cell does not belong to it", async () => {
  const text =
    '"employee_id" ,"email"\t,\u00a0"name"\nK001, "a@b" ,\u00a0"Novak, ""Dr."""\u3000\n K002 , x "y",5" pipe\n';
  const { columns, cells } = await readAll(readCsv, text);
  assert.deepEqual(columns, ["employee_id", "email", "name"]);
  assert.deepEqual(cells, [["K001", "a@b", 'Novak, "Dr."'], [" K002 ", ' x "y"', '5" pipe']]);
  assert.deepEqual((await readAll(readCsv, 'a\tb\n \t "x\ty" \n')).cells, [[" ", "x\ty"]]);
  assert.deepEqual((await readAll(readCsv, 'name\n "Legal, Risk" \n')).cells, [["Legal, Risk"]]);
});

test("a row of white space alone is a blank line", async () => {
  for (const blank of [" \t", "\u00a0", " , \u00a0,\t", '" ",""', ' "" , "\u00a0\n" ', "\u3000,\ufeff"]) {
    const { cells, lines } = await readAll(readCsv, `${blank}\na,b\n${blank}\n1,2\n${blank}\n`, { delimiter: "," });
    assert.deepEqual(cells, [["1", "2"]], JSON.stringify(blank));
    assert.deepEqual(lines, [blank.includes("\n") ? 6 : 4]);
  }
  assert.equal((await readAll(readCsv, 'a,b\n",",\n"""",\n', { delimiter: "," })).cells.length, 2);
});

test("a final Ctrl-Z is no row, and shows that the file is whole", async () => {
  for (const end of ["\x1a", "\n\x1a", "\x1a\n", "\r\n\x1a\r\n\r\n", "\x1a\x1a\r"]) {
    for (const sizes of [[1], [3, 2], [65_536]]) {
      for (const bytes of [bytesOf(`a,b\n1,2\n3${end}`), utf16(`a,b\n1,2\n3${end}`, true)]) {
        const { cells, report } = await readAll(readCsv, bytes, {}, sizes);
        assert.deepEqual(cells, [["1", "2"], ["3"]], JSON.stringify(end));
        assert.equal(report.endsWithLineEnd, true);
      }
    }
  }
  const { cells, report } = await readAll(readCsv, "a,b\n1,x\x1ay\n\x1a,2");
  assert.deepEqual(cells, [["1", "x\x1ay"], ["\x1a", "2"]]);
  assert.equal(report.endsWithLineEnd, false);
  const padding = `a,b\n1,2\n${"\x1a".repeat(300_000)}`;
  assert.equal((await readAll(readCsv, `${padding}\n3,4\n`)).cells.length, 3);
});

test("Windows-1252 is read when declared, and a byte order mark is believed more", async () => {
  const bytes = Uint8Array.from([
    0x61,
    0x2c,
    0x62,
    0x0a,
    0x80,
    0x2c,
    0xe9,
    0x0a,
    0x9f,
    0x2c,
    0xff,
    0x0a,
  ]);
  const { cells } = await readAll(readCsv, bytes, { charset: "windows-1252" });
  assert.deepEqual(cells, [["€", "é"], ["Ÿ", "ÿ"]]);
  assert.deepEqual((await readAll(readCsv, "\ufeffa,b\né,€\n", { charset: "windows-1252" })).cells, [["é", "€"]]);
});

test("leaving in the middle lets go of the stream", async () => {
  let cancelled = false;
  const chunk = new TextEncoder().encode("a,b\n" + "1,2\n".repeat(1000));
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(chunk),
    cancel: () => {
      cancelled = true;
    },
  });
  for await (const block of readCsv(stream, OPTIONS, { ...report })) {
    assert.ok(block.count > 0);
    break;
  }
  assert.ok(cancelled);
});

const report = { delimiter: null, endsWithLineEnd: false };
