/** Tests that take long and repeat others in a wider form: `deno task test:long` does them, `deno task test` says that they are left out. */

export const LONG: boolean = Deno.env.get("NOTIFYX_TEST_LONG") === "whole";

/** As `Deno.test`, where all are wanted. */
export const longTest = LONG ? Deno.test : Deno.test.ignore;
