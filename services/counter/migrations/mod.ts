/** The migrations of counter, in their order. */

import { OUTCOMES_MIGRATION } from "../../../kit/participant/mod.ts";
import sends from "./000001_sends.sql" with { type: "text" };

export const migrations = [OUTCOMES_MIGRATION, { name: "000001_sends", sql: sends }];
