import type { RequestHandler } from 'express';

const contentSecurityPolicy = {
  'default-src': "'self'",
  'img-src': "'self' blob: data:",
  'style-src': "'self' 'unsafe-inline'",
  'object-src': "'none'",
  'base-uri': "'none'",
  'form-action': "'self'",
  'frame-ancestors': "'none'",
};

/** No Strict-Transport-Security: the service speaks plain HTTP; a proxy that speaks HTTPS sets that for itself. */
const headers = Object.entries({
  'Content-Security-Policy': Object.entries(contentSecurityPolicy).map((directive) => directive.join(' ')).join(';'),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Origin-Agent-Cluster': '?1',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-DNS-Prefetch-Control': 'off',
  'X-Download-Options': 'noopen',
  'X-Frame-Options': 'SAMEORIGIN',
  'X-Permitted-Cross-Domain-Policies': 'none',
  // What browsers once had for this could be turned against the page.
  'X-XSS-Protection': '0',
});

/** What every answer tells a browser not to do with it; a route may set one of them otherwise. */
export const securityHeaders: RequestHandler = (_request, response, next) => {
  for (const [name, value] of headers) response.setHeader(name, value);
  next();
};
