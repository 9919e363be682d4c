/** Tables of text, replaced cell by cell: marks, quotes and lines stay. */

/** Cells may be quoted. The first line has the names of columns, for which `key` is asked. */
export function replaceCells(
  text: string,
  { key, value }: { readonly key: (name: string) => string; readonly value: (column: string, cell: string) => string },
): string {
  const head = text.slice(0, (text.indexOf("\n") + 1 || text.length + 1) - 1);
  const mark = [",", ";", "\t", "|"].sort((a, b) => head.split(b).length - head.split(a).length)[0]!;
  const cell = new RegExp(`("(?:[^"]|"")*"|[^\\${mark}\\r\\n]*)(\\${mark}|\\r?\\n|\\r|$)`, "gy");
  const columns: string[] = [];
  let isHead = true, at = 0;
  return text.replace(cell, (_, given: string, end: string) => {
    const isQuoted = given.length > 1 && given.startsWith('"');
    const plain = isQuoted ? given.slice(1, -1).replaceAll('""', '"') : given;
    if (isHead) columns.push(plain);
    const replaced = isHead ? key(plain) : value(columns[at] ?? "", plain);
    at = end === mark ? at + 1 : 0;
    isHead &&= end === mark;
    return `${isQuoted ? `"${replaced.replaceAll('"', '""')}"` : replaced}${end}`;
  });
}
