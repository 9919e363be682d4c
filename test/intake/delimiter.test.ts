import assert from "node:assert/strict";
import { test } from "node:test";
import { readCsv } from "../../src/intake/csv.ts";
import { faultOf, readAll } from "./bytes.ts";

async function detect(text: string) {
  return (await readAll(readCsv, text)).report.delimiter;
}

test("each delimiter is detected by the shapes of the rows", async () => {
  for (const delimiter of [",", ";", "\t", "|"]) {
    assert.equal(await detect(`a,b,c\n1,2,3\n4,5,6\n`.replaceAll(",", delimiter)), delimiter);
  }
});

test("rows decide where the header could be cut in two ways", async () => {
  assert.equal(await detect("id,name;alias\n1,x\n2,y\n"), ",");
  assert.equal(await detect("id;last, first\n1;Doe\n2;Roe\n"), ";");
});

test("a delimiter that only the cells have does not mislead", async () => {
  assert.equal(await detect("id;name\n1;Doe, Ann\n2;Roe, Bob\n"), ";");
  assert.equal(await detect('id,groups\n1,"A;B"\n2,"C;D"\n'), ",");
  assert.equal(await detect('"a;x";"b"\n"1,2";"3"\n"4,5";"6"\n'), ";");
  assert.equal(await detect("id,amount;note\n1,5;x\n2,7\n3,8\n"), ",");
});

test("a broken row or two do not mislead", async () => {
  assert.equal(await detect("a,b,c;\n1,2,3\n4,5\n;;;;\n6,7,8\n"), ",");
});

test("a tie is an error that names both", async () => {
  assert.equal(
    await faultOf(readCsv, "a;b,c\n1;2,3\n4;5,6\n"),
    'delimiter_ambiguous: The delimiter could be "," (comma) or ";" (semicolon): both cut every row alike; ' +
      "set the connection's delimiter",
  );
  assert.match(await faultOf(readCsv, "a\tb|c\n"), /could be "\\t" \(tab\) or "\|" \(vertical bar\)/);
});

test("a declared delimiter is used as it is", async () => {
  const read = await readAll(readCsv, "a;b,c\n1;2,3\n", { delimiter: ";" });
  assert.deepEqual(read.columns, ["a", "b,c"]);
  assert.equal(read.report.delimiter, ";");
});

test("a header longer than the sample is read with more of the file", async () => {
  const names = Array.from({ length: 400 }, (_, i) => `${"column".repeat(40)}${i}`);
  const text = `${names.join(";")}\n${names.map((_, i) => i).join(";")}\n`;
  assert.ok(text.length > 64 * 1024);
  const read = await readAll(readCsv, text);
  assert.equal(read.report.delimiter, ";");
  assert.equal(read.columns.length, 400);
});
