/** What is asked. In a request `0000` is an id, `00000000` a number that is never used twice. */

import type { GeneratorOptions } from "./generator.ts";

export interface Case extends Pick<GeneratorOptions, "varies" | "idAfter"> {
  readonly name: string;
  readonly body: string;
  /** The data of the answer to `body` as it stands here. */
  readonly expected: unknown;
  /** How many times as fast as Hive Gateway ours has to be, where that is asked. */
  readonly bar?: number;
}

const TITLE = "Title ";
const LIST_LENGTH = 20;
const bodyOf = (query: string, variables: Record<string, string>) => JSON.stringify({ query, variables });
const book = { id: "0000", title: "Title 0000" };
const small = bodyOf("query ($id: ID!) { book(id: $id) { id title } }", { id: "0000" });

function list(author: string): Pick<Case, "body" | "varies" | "idAfter" | "expected"> {
  return {
    body: bodyOf(
      `query ($from: ID!) { books(from: $from, first: ${LIST_LENGTH}) { id title author { name: ${author} sold } } }`,
      { from: "0000" },
    ),
    varies: { id: true, number: false },
    idAfter: TITLE,
    expected: {
      books: Array.from({ length: LIST_LENGTH }, (_, index) => {
        const id = String(index).padStart(4, "0");
        return { id, title: `Title ${id}`, author: { name: `Author ${id}`, sold: 10_000 + index } };
      }),
    },
  };
}

export const CASES: readonly Case[] = [
  {
    name: "small",
    body: small,
    varies: { id: true, number: false },
    idAfter: TITLE,
    expected: { book },
    bar: 4,
  },
  {
    name: "same",
    body: small,
    varies: { id: false, number: false },
    idAfter: TITLE,
    expected: { book },
    bar: 2.5,
  },
  {
    name: "list",
    ...list("name"),
    bar: 2,
  },
  {
    // The same where authors let their names be kept: what the gateway's cache of rows saves.
    name: "kept",
    ...list("kept"),
  },
  {
    name: "distinct",
    body: bodyOf("query ($id: ID!) { b00000000: book(id: $id) { id title } }", { id: "0000" }),
    varies: { id: true, number: true },
    idAfter: TITLE,
    expected: { b00000000: book },
    bar: 1.5,
  },
];

/** On the real system: three services, one of which asks PostgreSQL. */
export const ME = {
  name: "me",
  body: JSON.stringify({ query: "{ me { email sentCount } unseenCount }" }),
  varies: { id: false, number: false },
};

/** Of the bare servers: the smallest case with nothing behind it, which is the most that the generator can be given. */
export const FIXED = { ...CASES[1]!, name: "bare" };
