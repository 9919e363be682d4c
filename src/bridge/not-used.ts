/** Notes to a customer about files that are not taken: their text, and how they are written. */
import type { BridgeConnection, Transport, WholeFile } from "./contract.ts";
import type { Leftover } from "./leftovers.ts";
import { keptName, NOT_USED, placeOf, stemOf } from "./places.ts";
import { MAX_FILE_BYTES } from "../model/limits.ts";
import { tooLargeInWords } from "../std/size.ts";

/** Whether the name is that of a note about a person who was erased. All other notes have their file's name. */
export function isNoteOfErased(name: string): boolean {
  return /^\d{8}T\d{6}Z-[0-9a-f]{8}\.not-used\.txt$/.test(name);
}

export interface Note {
  /** Its name in `reports`. */
  readonly name: string;
  readonly text: string;
  /** The file that is left; null: one that held a person who was erased. */
  readonly about: Leftover | null;
}

/** File names may contain people's names, so neither the note nor its name has one. The time identifies the file. */
export function noteOfErased(connection: BridgeConnection, { bytes }: Pick<WholeFile, "bytes">, at: number): Note {
  const { mode, settings: { folder } } = connection;
  const time = new Date(at).toISOString().slice(0, 16).replace("T", " ");
  const fate = mode === "hosted" ? " and was deleted here" : "";
  const text = [
    `A file in ${folder} was not used${fate}. It had ${bytes} bytes and was found at ${time} UTC.`,
    "",
    "It is the same, byte for byte, as a file that was used before. That file held a person whose data has been",
    "erased since, so it is not used again.",
    "",
    `What to do: export the file again without that person, and put it into ${folder}.`,
    "",
  ].join("\r\n");
  return { name: keptName(`${crypto.randomUUID().slice(0, 8)}${NOT_USED}`, at), text, about: null };
}

export function noteOfLeftover({ settings }: BridgeConnection, about: Leftover): Note {
  const text = `Nothing of "${about.name}" was used: ${whyLeft(about, settings)}.\r\n`;
  return { name: nameOfNote(about.name), text, about };
}

/** The name, in `reports`, of the note about a file. */
export function nameOfNote(file: string): string {
  return `${stemOf(file)}${NOT_USED}`;
}

function whyLeft({ why, bytes }: Leftover, { folder, patterns }: BridgeConnection["settings"]): string {
  switch (why) {
    case "empty":
      return `it has been empty for an hour; export it again and put it into ${folder}`;
    case "too_large":
      return `it ${
        tooLargeInWords(bytes ?? null, MAX_FILE_BYTES)
      }; leave out what is not needed, or ask your administrator ` +
        "how to send it in parts";
    case "wrong_digest":
      return "its .sha256 file does not have its digest, so a part of it may be missing; send both again";
    default:
      return `only files named like ${patterns.join(", ")} are taken here; save it as CSV or as a workbook (.xlsx)`;
  }
}

/** Does nothing if the note is there already: a bridge that was restarted finds the same files again. */
export async function writeNote(connection: BridgeConnection, transport: Transport, note: Note): Promise<void> {
  const folder = placeOf(connection, "reports");
  const { about } = note;
  if (about !== null) {
    const there = await transport.list(folder);
    if (there.some(({ name, modifiedAt }) => name === note.name && modifiedAt >= about.since)) return;
  }
  const content = new Blob([note.text]).stream() as ReadableStream<Uint8Array>;
  await transport.write(`${folder}/${note.name}`, content);
}
