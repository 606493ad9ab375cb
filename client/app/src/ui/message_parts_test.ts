/** What can be opened of a message. */

import { deepEqual, equal } from "node:assert/strict";
import { parts } from "./message_parts.ts";

const links = (text: string) => parts(text).flatMap(({ href }) => href ?? []);

Deno.test("message parts - addresses on the web can be opened, without what ends the sentence", () => {
  deepEqual(links("See https://a.example/b?c=d, (http://e.example/f) and https://g.example."), [
    "https://a.example/b?c=d",
    "http://e.example/f",
    "https://g.example/",
  ]);
  deepEqual(parts("https://a.example/x!"), [{ text: "https://a.example/x", href: "https://a.example/x" }, {
    text: "!",
  }]);
});

Deno.test("message parts - nothing else can, and all of the text is there", () => {
  for (
    const text of [
      "javascript:alert(1)",
      "data:text/html,<script>alert(1)</script>",
      "ftp://a.example/b",
      "xhttps://a.example",
      "https://",
      "https:// a.example",
      '<a href="javascript:alert(1)">x</a>',
    ]
  ) {
    deepEqual(links(text), [], text);
    equal(parts(text).map((part) => part.text).join(""), text);
  }
  const mixed = 'a https://b.example/<script> "https://c.example/d" e';
  equal(parts(mixed).map((part) => part.text).join(""), mixed);
});
