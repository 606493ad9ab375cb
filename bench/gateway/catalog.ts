/**
 * What the bench's three subgraphs hold: books, their authors, and how many each author has sold. The same types twice, with the directives
 * of npm `@graphql-tools/stitching-directives` and with Apollo Federation's. All values have one length, so that all answers have.
 */

import { stitchingDirectives } from "@graphql-tools/stitching-directives";

const BOOKS = 10_000;

export interface Subgraph {
  /** What `{ _sdl }` answers. */
  readonly stitching: string;
  /** What `{ _service { sdl } }` answers. */
  readonly federation: string;
  /** The values of `Query`. */
  readonly query: Record<string, (args: Record<string, unknown>) => unknown>;
}

const idOf = (index: number) => String(index % BOOKS).padStart(4, "0");
const books = Array.from({ length: BOOKS }, (_, index) => {
  const id = idOf(index);
  return { __typename: "Book", id, title: `Title ${id}`, author: { __typename: "Author", id } };
});
const authors = books.map(({ id }) => ({ __typename: "Author", id, name: `Author ${id}`, kept: `Author ${id}` }));
const sales = books.map(({ id }) => ({ __typename: "Author", id, sold: 10_000 + Number(id) }));

type Keyed = { readonly id: string };
const byId = (all: readonly Keyed[], id: unknown) => all[Number(id)] ?? null;
const byIds = (all: readonly Keyed[]) => (args: Record<string, unknown>) =>
  (args.ids as string[]).map((id) => byId(all, id));
const byRepresentations = (all: readonly Keyed[]) => (args: Record<string, unknown>) =>
  (args.representations as Keyed[]).map(({ id }) => byId(all, id));

const { allStitchingDirectivesTypeDefs } = stitchingDirectives();
const stitched = (sdl: string) => `${allStitchingDirectivesTypeDefs}\n${sdl}`;
const federated = (sdl: string) =>
  `extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])\n${sdl}`;

export const SUBGRAPHS: Record<"books" | "authors" | "sales", Subgraph> = {
  books: {
    stitching: stitched(`
      type Query { book(id: ID!): Book  books(from: ID!, first: Int!): [Book!]!  _sdl: String! }
      type Book { id: ID!  title: String!  author: Author! }
      type Author { id: ID! }`),
    federation: federated(`
      type Query { book(id: ID!): Book  books(from: ID!, first: Int!): [Book!]! }
      type Book { id: ID!  title: String!  author: Author! }
      type Author @key(fields: "id", resolvable: false) { id: ID! }`),
    query: {
      book: ({ id }) => byId(books, id),
      books: ({ from, first }) =>
        Array.from({ length: Number(first) }, (_, index) => byId(books, idOf(Number(from) + index))),
    },
  },
  authors: {
    stitching: stitched(`
      type Query { _authors(ids: [ID!]!): [Author]! @merge(keyField: "id")  _sdl: String! }
      directive @cacheControl(maxAge: Int!) on FIELD_DEFINITION
      type Author @key(selectionSet: "{ id }") { id: ID!  name: String  kept: String @cacheControl(maxAge: 60) }`),
    federation: federated(`type Author @key(fields: "id") { id: ID!  name: String  kept: String }`),
    query: { _authors: byIds(authors), _entities: byRepresentations(authors) },
  },
  sales: {
    stitching: stitched(`
      type Query { _sales(ids: [ID!]!): [Author]! @merge(keyField: "id")  _sdl: String! }
      type Author @key(selectionSet: "{ id }") { id: ID!  sold: Int }`),
    federation: federated(`type Author @key(fields: "id") { id: ID!  sold: Int }`),
    query: { _sales: byIds(sales), _entities: byRepresentations(sales) },
  },
};
