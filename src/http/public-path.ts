import type { Request, RequestHandler } from 'express';
import type { Config } from '../config.js';

const longestPrefix = 1_000;

/**
 * Under the path at which a proxy shows the service, a request means what it means without. The path is the setting's, or
 * what a trusted proxy tells that has taken it away.
 */
export function publicPath({ basePath }: Pick<Config, 'basePath'>): RequestHandler {
  return (request, response, next) => {
    const prefix = forwardedPrefix(request) ?? basePath;
    response.locals['publicPath'] = prefix;
    if (prefix === '' || !request.url.startsWith(prefix)) return next();
    const rest = request.url.slice(prefix.length);
    if (rest.startsWith('/')) {
      request.url = rest;
      request.originalUrl = rest;
    } else if (rest === '' || rest.startsWith('?')) {
      return response.redirect(308, `${prefix}/${rest}`);
    }
    next();
  };
}

/** '' or `/photos`: what stands before a path when a browser asks for it. */
export const publicPathOf = ({ res }: Request): string => String(res?.locals['publicPath'] ?? '');

function forwardedPrefix(request: Request): string | undefined {
  const given = request.get('X-Forwarded-Prefix');
  const trusts = request.app.get('trust proxy fn') as (address: string | undefined, hop: number) => boolean;
  if (given === undefined || given.length > longestPrefix || !trusts(request.socket.remoteAddress, 0)) return undefined;
  const bare = given.split(',')[0]!.trim().replace(/\/+$/, '');
  return bare === '' || /^(\/[\w.~%-]+)+$/.test(bare) ? bare : undefined;
}
