import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import helmet from 'helmet';

const setHeaders = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      imgSrc: ["'self'", 'blob:', 'data:'],
      styleSrc: ["'self'", "'unsafe-inline'"],
      objectSrc: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
  // The service speaks plain HTTP; a proxy that speaks HTTPS sets this for itself.
  strictTransportSecurity: false,
  crossOriginEmbedderPolicy: false,
  xPoweredBy: false,
});

/** Asked once: nothing above looks at the request, and asking each time takes as long as all else of a small answer. */
const headers: [name: string, value: string][] = [];
const recorder = { setHeader: (name: string, value: string) => void headers.push([name, value]) };
setHeaders({} as IncomingMessage, recorder as unknown as ServerResponse, (error) => {
  if (error !== undefined) throw new Error('The headers could not be made.', { cause: error });
});

/** What every answer tells a browser not to do with it; a route may set one of them otherwise. */
export const securityHeaders: RequestHandler = (_request, response, next) => {
  for (const [name, value] of headers) response.setHeader(name, value);
  next();
};
