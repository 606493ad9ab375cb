/** Tokens by which someone is known: of a session, or of a link in a mail. Only their SHA-256 is stored. */

const TOKEN_BYTES = 32;
/** 256 bits as base64url. */
const TOKEN = /^[\w-]{43}$/;

/** A new one, known to nobody but the caller. */
export function newToken(): string {
  return crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)).toBase64({ alphabet: "base64url", omitPadding: true });
}

/** Whether `text` may be a token at all. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

export async function tokenHash(token: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token)));
}
