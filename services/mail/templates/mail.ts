/** What a template makes. */

export interface Mail {
  /** One line. */
  readonly subject: string;
  /** A whole document. */
  readonly html: string;
  readonly text: string;
}

/** The longest subject that we make, in characters; lists of mails show less. */
export const SUBJECT_LIMIT = 150;
/** The longest line of another kind: a topic's name has 100 characters, an address 254. */
export const LINE_LIMIT = 254;
