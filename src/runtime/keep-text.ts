/** A file with a secret text, which is made once and readable by its owner only. */
import { link, open, readFile, rm } from "node:fs/promises";

/** Writes the text to a new file, and returns the file's text, which another process may have written before. */
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
