import assert from "node:assert/strict";
import { checkNewEmail, checkNewPassword, checkText, emailKey } from "./credentials.ts";

const BAD_INPUT = { code: "BAD_USER_INPUT" };

Deno.test("credentials - an address is kept as its owner writes it, without the blanks around it", () => {
  assert.equal(checkNewEmail("  Ann.Lee+x@Example.COM\n"), "Ann.Lee+x@Example.COM");
  assert.equal(checkNewEmail("jörg@exämple.de"), "jörg@exämple.de");
});

Deno.test("credentials - what is no e-mail address is BAD_USER_INPUT", () => {
  const wrong = [
    "",
    " ",
    "ann",
    "ann@",
    "@example.com",
    "ann@example",
    "ann lee@example.com",
    "ann@example.com, bob@example.com",
    "Ann <ann@example.com>",
    "ann\0@example.com",
    "ann\r\nBcc: bob@example.com",
    "ann\ud800@example.com",
    `${"a".repeat(64)}@${`${"b".repeat(60)}.`.repeat(4)}com`,
    "a".repeat(1_000_000),
  ];
  for (const email of wrong) assert.throws(() => checkNewEmail(email), BAD_INPUT, JSON.stringify(email.slice(0, 80)));
});

Deno.test("credentials - case and the way an accent is written make no other address", () => {
  assert.equal(emailKey(" JÖRG@Example.com "), emailKey("jo\u0308rg@EXAMPLE.com"));
  assert.notEqual(emailKey("ann@example.com"), emailKey("an.n@example.com"));
});

Deno.test("credentials - a password has 8 to 128 characters, an emoji being one", () => {
  for (const good of ["12345678", "x".repeat(128), "🙂".repeat(8), "🙂".repeat(128), " ".repeat(8)]) {
    checkNewPassword(good);
  }
  const wrong = ["", "1234567", "x".repeat(129), "🙂".repeat(7), "🙂".repeat(129), "x".repeat(1_000_000)];
  for (const password of wrong) assert.throws(() => checkNewPassword(password), BAD_INPUT, `${password.length}`);
});

Deno.test("credentials - NUL and half a surrogate pair are BAD_USER_INPUT", () => {
  for (const text of ["12345678\0", "12345678\ud800", "\udc0012345678"]) {
    assert.throws(() => checkNewPassword(text), BAD_INPUT);
    assert.throws(() => checkText("email", text), BAD_INPUT);
  }
});
