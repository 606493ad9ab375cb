/** Asks one side for one case: that the answer is right, and how long it takes under load. */

import assert from "node:assert/strict";
import { graphql } from "../../tests/helpers/client.ts";
import { type Case, type FIXED, ME } from "./cases.ts";
import type { Figures, GeneratorOptions } from "./generator.ts";
import type { Side } from "./sides.ts";

export const CONNECTIONS = 64;

/** @throws AssertionError where it isn't the right answer */
export async function check(side: Side, { body, expected }: Case): Promise<void> {
  const { query, variables } = JSON.parse(body);
  const { data, errors } = await graphql(side.url, query, variables, side.tokens[0]);
  assert.deepEqual({ data, errors }, { data: expected, errors: undefined });
}

/** @throws Error where an answer is wrong */
export async function generate(
  { url, pid, tokens }: Side,
  one: Case | typeof ME | typeof FIXED,
  seconds: Pick<GeneratorOptions, "warmUpSeconds" | "seconds">,
): Promise<Figures> {
  const { body, varies, idAfter } = one as Case;
  const options: GeneratorOptions = {
    url,
    pid,
    // A session's in-flight questions may be shared: those of one are asked, as of the peers' nobody.
    tokens: one === ME ? tokens : tokens.slice(0, 1),
    body,
    varies,
    idAfter,
    connections: CONNECTIONS,
    ...seconds,
  };
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-all",
      new URL("generator.ts", import.meta.url).pathname,
      JSON.stringify(options),
    ],
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new Error("the generator failed");
  return JSON.parse(new TextDecoder().decode(stdout)) as Figures;
}
