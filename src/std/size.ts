/** Sizes in units that people use. */
const MIB = 1024 ** 2, GIB = 1024 ** 3;

/** `1 GiB`, `62.5 MiB`, `950 bytes`; rounded up to a tenth, so that what is over a limit never reads as the limit. */
export function sizeInWords(bytes: number): string {
  if (bytes < MIB) return `${bytes} ${bytes === 1 ? "byte" : "bytes"}`;
  const [unit, name] = bytes < GIB ? [MIB, "MiB"] as const : [GIB, "GiB"] as const;
  return `${Math.ceil(bytes * 10 / unit) / 10} ${name}`;
}

/** Why a file is not taken, after `it`. `bytes` null: unknown. Another program on the way may take less than the hub does. */
export function tooLargeInWords(bytes: number | null, maxBytes: number): string {
  if (bytes === null) return `is too large: at most ${sizeInWords(maxBytes)} are taken`;
  const has = `has ${sizeInWords(bytes)}`;
  return bytes > maxBytes
    ? `${has}, and at most ${sizeInWords(maxBytes)} are taken`
    : `${has}, and was refused as too large on its way to the hub, which takes up to ${sizeInWords(maxBytes)}`;
}
