/**
 * `Content-Disposition` of an answer that is to be saved as a file. Its parameter `filename*` (RFC 6266) takes names in
 * any script: characters that RFC 8187 does not allow are written as their bytes.
 */

export function attachment(name: string): string {
  const escaped = encodeURIComponent(name).replace(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename*=UTF-8''${escaped}`;
}
