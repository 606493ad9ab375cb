/** The migrations of the gateway's own database, in their order. */

import decisions from "./000001_decisions.sql" with { type: "text" };
import recovery from "./000002_recovery.sql" with { type: "text" };

export const migrations = [
  { name: "000001_decisions", sql: decisions },
  { name: "000002_recovery", sql: recovery },
];
