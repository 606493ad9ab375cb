/** The embedded PostgreSQL: `startPostgres` for the system, `startPrivatePostgres` for a test that wants one of its own. */

export { type Postgres, type PostgresOptions, startPostgres } from "./postgres.ts";
export { preparePrivatePostgres, startPrivatePostgres } from "./private.ts";
export { checkoutLayout, type PostgresLayout } from "./layout.ts";
