/** The note to a customer about a file that is not taken, because it held a person who was erased since. */
import type { BridgeConnection, Transport, WholeFile } from "./contract.ts";
import { keptName, placeOf } from "./places.ts";

/** The end of a note's name in `reports`. */
export const NOTE_SUFFIX = ".not-used.txt";

/** Whether the name is that of such a note. Those that the hub writes about other files have their file's name. */
export function isNoteOfErased(name: string): boolean {
  return /^\d{8}T\d{6}Z-[0-9a-f]{8}\.not-used\.txt$/.test(name);
}

/** File names may contain people's names, so neither the note nor its name has one. The time identifies the file. */
export interface Note {
  readonly at: number;
  readonly bytes: number;
}

export function noteOf({ bytes }: Pick<WholeFile, "bytes">, at: number): Note {
  return { at, bytes };
}

export async function writeNote(connection: BridgeConnection, transport: Transport, note: Note): Promise<void> {
  const name = keptName(`${crypto.randomUUID().slice(0, 8)}${NOTE_SUFFIX}`, note.at);
  const content = new Blob([textOf(connection, note)]).stream() as ReadableStream<Uint8Array>;
  await transport.write(`${placeOf(connection, "reports")}/${name}`, content);
}

function textOf({ mode, settings }: BridgeConnection, { at, bytes }: Note): string {
  const time = new Date(at).toISOString().slice(0, 16).replace("T", " ");
  const fate = mode === "hosted" ? " and was deleted here" : "";
  return [
    `A file in ${settings.folder} was not used${fate}. It had ${bytes} bytes and was found at ${time} UTC.`,
    "",
    "It is the same, byte for byte, as a file that was used before. That file held a person whose data has been",
    "erased since, so it is not used again.",
    "",
    `What to do: export the file again without that person, and put it into ${settings.folder}.`,
    "",
  ].join("\r\n");
}
