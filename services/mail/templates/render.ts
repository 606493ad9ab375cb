/**
 * renderMail: from a template's name and data to what is sent. In: data that anyone may have written. Out: a subject of one line, HTML and
 * text, in which that data is text and links lead to the web alone. Next: the transport.
 *
 * The parts are npm @react-email's, each by itself, and React renders each template once; a mail then is its fixed text with escaped data
 * in between. Measured here on Deno 2.9, to be loaded and per mail: this 20 ms, 12 MB and 10 µs; react-email rendering each mail, with its
 * package of all components, 430 ms, 84 MB and 6,000 µs, HTML and text; mjml 320 ms, 90 MB and 2,300 µs for HTML alone, and it wants to
 * read files.
 */

import { UserError } from "../../../kit/errors.ts";
import { confirm, replaced, reset } from "./account.tsx";
import { checkMailData, type MailData } from "./data.ts";
import { digest } from "./digest.tsx";
import type { Mail } from "./mail.ts";
import { isTemplate, type TemplateName } from "./names.ts";
import { notification } from "./notification.tsx";
import { plain } from "./plain.tsx";

type Renderers = { [Name in TemplateName]: (data: MailData<Name>) => Mail };

const COMPILE: { [Name in TemplateName]: () => Renderers[Name] } = {
  plain,
  notification,
  digest,
  confirm,
  reset,
  replaced,
};
const compiled: Partial<Renderers> = {};

/** @throws UserError `BAD_USER_INPUT` where there is no such template, or data that it doesn't take */
export function renderMail(template: string, data: unknown): Mail {
  if (!isTemplate(template)) throw new UserError("BAD_USER_INPUT", "template takes one of the system's templates");
  return render(template, data);
}

function render<Name extends TemplateName>(name: Name, data: unknown): Mail {
  const make: Renderers[Name] = compiled[name] ??= COMPILE[name]();
  return make(checkMailData(name, data));
}
