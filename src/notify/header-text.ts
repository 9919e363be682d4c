/** Text that is safe in a mail's headers. Names come from files and people, and must not add a header or a recipient. */
import { encodeId } from "../model/id.ts";

/** One line without control characters, of at most `max` characters. */
export function headerText(text: string, max: number): string {
  const line = oneLine(text);
  const characters = [...line];
  return characters.length <= max ? line : `${characters.slice(0, max - 1).join("")}…`;
}

/** Replaces line breaks and other control characters by a space, also those that only some programs break lines at. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\s]+/gu, " ").trim();
}

/** The text if it is one bare address, which cannot add a header or a recipient; else null. */
export function bareAddress(text: string): string | null {
  return /^[^\s\p{Cc}<>()[\]\\,;:"@]+@[^\s\p{Cc}<>()[\]\\,;:"@]+$/u.test(text) ? text : null;
}

/** A mail's Message-ID. It is the same for each attempt, so that a mail that arrives twice can be recognized. */
export function messageId(id: number, from: string): string {
  return `<${encodeId("mai", id)}@${/@([\w.-]+)/.exec(from)?.[1] ?? "muster.invalid"}>`;
}
