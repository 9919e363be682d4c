/** Removes secrets from a text that may quote input. Recognizes them by their form alone. No I/O. */

const FORMS: readonly [RegExp, string][] = [
  [/mus_[0-9A-Za-z]{8,}/g, "mus_…"],
  [/whsec_[\w+/=-]{8,}/g, "whsec_…"],
  // JSON Web Tokens, signed or sealed.
  [/eyJ[\w-]{8,}(?:\.[\w-]*){2,4}/g, "eyJ…"],
  [/-----BEGIN [^-]+-----[\s\S]*?(?:-----END [^-]+-----|$)/g, "-----BEGIN …"],
  // The user and password of a URL. No scheme is longer, and an unlimited pattern could be made to run forever.
  [/\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@"]*@/gi, "$1…@"],
  [/\b(Bearer|Basic) +[\w+/=.~-]{8,}/gi, "$1 …"],
];

/** The text with every token, key and password shortened to its kind. */
export function redact(text: string): string {
  let redacted = text;
  for (const [form, instead] of FORMS) redacted = redacted.replace(form, instead);
  return redacted;
}
