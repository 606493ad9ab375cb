/** The door of a two-phase-commit participant. */

export { OUTCOMES_MIGRATION, type Work } from "./barrier.ts";
export type { Operation } from "./calls.ts";
export { checkPreparedTransactions } from "./prepared_limit.ts";
export { serveParticipant } from "./routes.ts";
export { statement } from "./statement.ts";
