/** Routes by which processes are looked after: who asks them is nobody's user. */

const ROUTES = new Set(["/health/live", "/health/ready", "/metrics"]);

/** By the label of the route. */
export function isUpkeep(route: unknown): boolean {
  return typeof route === "string" && (ROUTES.has(route) || /^\/dashboard(\/|$)/.test(route));
}
