/** Who the people of the demo are: addresses, in an order that the seed decides. */

import type { Random } from "./random.ts";

const FIRST =
  "ann ben carla daichi elif fatima george hana ivan julia kofi lena mateo nadia omar priya quentin rosa samir tove uma viktor wei xenia yusuf zoe"
    .split(" ");
const LAST =
  "adeyemi becker castillo dubois eriksson fischer garcia haddad ito jansen kowalski larsen mbeki nakamura okafor petrov quist rossi silva tanaka"
    .split(" ");

/** Nobody's: RFC 2606 keeps it for examples. */
const DOMAIN = "demo.example";

export const MOST_PEOPLE = FIRST.length * LAST.length;

/** The first `count`; with a larger `count` of the same seed these come first again. */
export function addresses(count: number, random: Random): string[] {
  const first = random.shuffled(FIRST);
  const last = random.shuffled(LAST);
  return Array.from({ length: count }, (_, nth) => {
    // Each round through the first names has the last ones further on, so that no name comes twice.
    const round = Math.floor(nth / FIRST.length);
    return `${first[nth % FIRST.length]}.${last[(nth + round) % LAST.length]}@${DOMAIN}`;
  });
}

export function isDemo(email: string): boolean {
  return email.endsWith(`@${DOMAIN}`);
}
