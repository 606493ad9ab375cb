/** What every page for people is sent with: a browser keeps to what the page itself loads, and nobody frames it. */

export function pageHeaders(contentSecurityPolicy: readonly string[]): Record<string, string> {
  return {
    "content-security-policy": [...contentSecurityPolicy, "base-uri 'none'", "frame-ancestors 'none'"].join("; "),
    "x-content-type-options": "nosniff",
    // For browsers that don't know frame-ancestors.
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
  };
}
