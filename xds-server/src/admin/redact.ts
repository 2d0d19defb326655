/** Fields that carry secrets in Envoy's API, and anything in a message of type Secret that is given in place. */
const secretFields = new Set(
  [
    "private_key",
    "password",
    "token",
    "token_secret",
    "secret",
    "client_secret",
    "hmac_secret",
    "access_key",
    "secret_access_key",
    "session_token",
    "session_ticket_keys",
  ].map(folded),
);

const inPlace = new Set(["inline_string", "inline_bytes", "inlineString", "inlineBytes"]);

const redacted = "[redacted]";

/** The JSON of a resource with the values of secrets replaced; file names stay. `allInPlace`: the resource is a Secret. */
export function withoutSecrets(value: unknown, allInPlace: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, allInPlace));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => {
      const isSecret = secretFields.has(folded(key));
      if (isSecret && (typeof field !== "object" || field === null)) return [key, redacted];
      if (allInPlace && inPlace.has(key)) return [key, redacted];
      return [key, withoutSecrets(field, allInPlace || isSecret)];
    }),
  );
}

/** "privateKey" and "private_key" are one field. */
function folded(key: string): string {
  return key.replaceAll("_", "").toLowerCase();
}
