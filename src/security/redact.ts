/** Takes secrets out of a text that says something of what somebody sent. By their form alone. No I/O. */

const FORMS: readonly [RegExp, string][] = [
  [/mus_[0-9A-Za-z]{8,}/g, "mus_…"],
  [/whsec_[\w+/=-]{8,}/g, "whsec_…"],
  // JSON Web Tokens, signed or sealed.
  [/eyJ[\w-]{8,}(?:\.[\w-]*){2,4}/g, "eyJ…"],
  [/-----BEGIN [^-]+-----[\s\S]*?(?:-----END [^-]+-----|$)/g, "-----BEGIN …"],
  // The user and password of an address. No scheme is longer, and looking for longer ones would take forever on purpose.
  [/\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@"]*@/gi, "$1…@"],
  [/\b(Bearer|Basic) +[\w+/=.~-]{8,}/gi, "$1 …"],
];

/** The text with every token, key and password in it shortened to what it is. */
export function redact(text: string): string {
  let redacted = text;
  for (const [form, instead] of FORMS) redacted = redacted.replace(form, instead);
  return redacted;
}
