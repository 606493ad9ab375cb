/** A message as its sender wrote it: text, never markup. What looks like an address on the web can be opened. */

import { Fragment } from "react";
import { parts } from "./message_parts.ts";
import classes from "./message_text.module.css";

export function MessageText({ text }: { readonly text: string }) {
  return (
    <p className={classes.text} dir="auto">
      {parts(text).map(({ text, href }, index) =>
        href === undefined
          ? <Fragment key={index}>{text}</Fragment>
          : <a key={index} href={href} target="_blank" rel="noopener noreferrer nofollow" dir="ltr">{text}</a>
      )}
    </p>
  );
}
