/** The door of a two-phase-commit participant. */

export { OUTCOMES_MIGRATION, type Work } from "./barrier.ts";
export { statement } from "./statement.ts";
export { type Operation, serveParticipant } from "./routes.ts";
