/** A secret text in a file that its owner alone reads, made once. */
import { link, open, readFile, rm } from "node:fs/promises";

/** Writes the text to a new file; gives what the file holds when there is one already. Of two at once, one is kept. */
export async function keepText(file: string, text: string): Promise<string> {
  const part = `${file}.${crypto.randomUUID()}`;
  const handle = await open(part, "wx", 0o600);
  try {
    await handle.writeFile(`${text}\n`);
    await handle.sync();
    await link(part, file);
    return text;
  } catch (error) {
    if ((error as { code?: string }).code !== "EEXIST") throw error;
    return (await readFile(file, "utf8")).trim();
  } finally {
    await handle.close();
    await rm(part, { force: true });
  }
}
