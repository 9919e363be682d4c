/** Removes secrets from answers that are stored: a secret is shown once. No I/O. */

/** Fields that have a secret in the answer to the request that made it. Later answers have `{"set": true}` there. */
const SECRET_FIELDS: ReadonlySet<string> = new Set(["token", "secret", "password", "private_key"]);
/** Texts that are secrets in any field: tokens, the secrets of webhook endpoints, signed links, and those that sign in. */
const SECRET_FORM = /^(mus_[0-9A-Za-z]{36}|whsec_\S+|https?:\S+\/(r\/[\w-]+\.[\w-]+\.[\w-]+|sign-in\/[0-9a-f]{64}))$/;

/** The JSON value with null in place of secrets. Objects that had one get `"code": "shown_once"`. */
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
