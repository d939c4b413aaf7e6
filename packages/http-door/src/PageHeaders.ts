/**
 * What a page of ours is served with.
 *
 * Specification: a page is of its one origin and talks to nobody else; no script or style stands in it but by file; nobody may put it into a frame.
 * Rationale: what peers say is shown there. It is only ever text, and if that failed once it could still load nothing and send nothing.
 */
export const pageHeaders = (
  /** Where its pictures may come from: sources of a content security policy. */
  pictures: string
): Readonly<Record<string, string>> => ({
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    `img-src ${pictures}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'"
  ].join("; "),
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin"
})
