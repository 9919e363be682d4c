/** Secrets in an answer are shown once. No I/O. */

/** Names of fields whose text is a secret, in answers to requests that make one. Reads show `{"set": true}` there. */
const SECRET_FIELDS: ReadonlySet<string> = new Set(["token", "secret", "password", "private_key"]);
/** Texts that are secrets wherever they stand: tokens, and the secrets of webhook endpoints. */
const SECRET_FORM = /^(mus_[0-9A-Za-z]{36}|whsec_\S+)$/;

/**
 * The JSON value as it may be kept and shown again: secrets in it are null, and whatever held one says so with
 * `"code": "shown_once"`.
 */
export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  let found = false;
  const kept = Object.entries(value).map(([name, each]) => {
    if (typeof each !== "string" || !(SECRET_FIELDS.has(name) || SECRET_FORM.test(each))) {
      return [name, withoutSecrets(each)];
    }
    found = true;
    return [name, null];
  });
  return { ...Object.fromEntries(kept), ...(found ? { code: "shown_once" } : {}) };
}
