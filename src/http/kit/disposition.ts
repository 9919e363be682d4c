/**
 * How an answer that is to be saved says its file's name: `filename*` of RFC 6266, for names in any script. Whatever is
 * no letter, digit or one of the marks that RFC 8187 lets stand is written as its bytes.
 */

export function attachment(name: string): string {
  const escaped = encodeURIComponent(name).replace(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename*=UTF-8''${escaped}`;
}
