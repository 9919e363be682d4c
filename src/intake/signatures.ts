/** What a file is packed in, by its first bytes. */

const OLE = [0xd0, 0xcf, 0x11, 0xe0];

export function isZip(head: Uint8Array): boolean {
  return head[0] === 0x50 && head[1] === 0x4b && head[2] === 0x03 && head[3] === 0x04;
}

export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b && head[2] === 8;
}

/** A compound file: what Excel and Word wrote before 2007, and what they put a password around. */
export function isCompound(head: Uint8Array): boolean {
  return OLE.every((byte, i) => head[i] === byte);
}
