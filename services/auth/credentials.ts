/** What may be an e-mail address and a password. */

import validator from "validator";
import { ADDRESS_LIMIT, isMailAddress } from "../../kit/email_address.ts";
import { UserError } from "../../kit/errors.ts";
import { characters, isStorable } from "../../kit/text.ts";

export const EMAIL_LIMIT = ADDRESS_LIMIT;
/** In characters. */
export const PASSWORD_LEAST = 8;
const PASSWORD_MOST = 128;

/** The address as it is stored: without the blanks around it. @throws UserError `BAD_USER_INPUT` where it is none */
export function checkNewEmail(email: string): string {
  const trimmed = email.trim();
  if (isMailAddress(trimmed)) return trimmed;
  throw new UserError("BAD_USER_INPUT", `email is not an e-mail address of up to ${EMAIL_LIMIT} characters`);
}

/** @throws UserError `BAD_USER_INPUT` where it may not be a new password. It is taken as it comes: never trimmed, never cut. */
export function checkNewPassword(password: string): void {
  checkText("password", password);
  const length = password.length <= 2 * PASSWORD_MOST ? characters(password) : Infinity;
  if (length >= PASSWORD_LEAST && length <= PASSWORD_MOST) return;
  throw new UserError("BAD_USER_INPUT", `password takes ${PASSWORD_LEAST} to ${PASSWORD_MOST} characters`);
}

/** By what two addresses are the same: case plays no part, nor the way in which an accent is written. */
export function emailKey(email: string): string {
  return email.trim().normalize("NFC").toLowerCase();
}

/** Whether someone may have registered with `email` at all: there was a time when more was taken. */
export function isEmail(email: string): boolean {
  return email.length <= EMAIL_LIMIT && isStorable(email) && validator.isEmail(email);
}

/** @throws UserError `BAD_USER_INPUT` for a text that isn't one: with a NUL or half a surrogate pair */
export function checkText(name: string, text: string): void {
  if (!isStorable(text)) throw new UserError("BAD_USER_INPUT", `${name} holds a NUL or half a character`);
}
