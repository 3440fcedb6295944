import type { Request, RequestHandler, Response } from 'express';
import ipaddr from 'ipaddr.js';
import { isLoopback, type Config } from '../config.js';
import { MixspaceError } from '../errors.js';
import type { KeyRing } from './access/key-ring.js';

/** Asked by what sends no Host: a load balancer's check over HTTP/1.0. They tell nobody anything. */
const withoutHost = new Set(['/healthz', '/readyz']);

/**
 * Refuses a Host that is not this service: a page whose name was rebound to this address sends its own name.
 * An address is never rebound, so where the service listens on every interface, addresses are let through.
 */
export function hostGuard(config: Config): RequestHandler {
  const everywhere = ipaddr.isValid(config.host) && ipaddr.process(config.host).range() === 'unspecified';
  const allowed = new Set([config.host, ...config.hosts, ...config.corsOrigins.map((origin) => new URL(origin).hostname)].map((name) => name.toLowerCase()));
  return (request, _response, next) => {
    const given = request.headersDistinct.host ?? [];
    if (given.length > 1) throw new MixspaceError('invalid_request', 'The request has more than one Host.', { param: 'Host' });
    if (given.length === 0 && request.httpVersion === '1.0' && withoutHost.has(request.path)) return next();
    if (given.length === 0 && request.httpVersion !== '1.0') throw new MixspaceError('invalid_request', 'The request has no Host.', { param: 'Host' });
    // What a trusted proxy was asked for, where it says so.
    const name = hostName(request.host);
    if (name !== undefined && (allowed.has(name) || isLoopback(name) || (everywhere && ipaddr.isValid(name)))) return next();
    throw new MixspaceError('forbidden', `This service is not "${(name ?? '').slice(0, 200)}"; MIXSPACE_HOSTS can add a name.`);
  };
}

function hostName(header: string | undefined): string | undefined {
  if (header === undefined || !URL.canParse(`http://${header}`)) return undefined;
  const url = new URL(`http://${header}`);
  if (url.username || url.password || url.pathname !== '/' || url.search || url.hash) return undefined;
  return url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
}

/** Answers to allowed origins; refuses what changes state, and reading too, from any other site. */
export function originGuard(config: Config): RequestHandler {
  const allowed = new Set(config.corsOrigins);
  return (request, response, next) => {
    const { origin } = request.headers;
    const { host } = request;
    response.setHeader('Vary', 'Origin');
    if (origin !== undefined && allowed.has(origin)) {
      response.setHeader('Access-Control-Allow-Origin', origin);
      response.setHeader('Access-Control-Expose-Headers', 'Retry-After');
      // Otherwise an allowed page could call, but not show pictures.
      response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
      if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
        response.setHeader('Access-Control-Allow-Methods', 'GET, POST, PUT, PATCH, DELETE');
        response.setHeader('Access-Control-Allow-Headers', allowedHeaders(request.headers['access-control-request-headers']));
        response.setHeader('Access-Control-Max-Age', '600');
        response.status(204).end();
        return;
      }
      return next();
    }
    const site = request.headers['sec-fetch-site'];
    const foreign = (origin !== undefined && !isOwn(origin, host)) || site === 'cross-site' || site === 'same-site';
    const reads = request.method === 'GET' || request.method === 'HEAD';
    // A link from elsewhere to the page is a navigation, not a read by that site.
    if (!foreign || (reads && request.headers['sec-fetch-mode'] === 'navigate' && !request.path.startsWith('/v1'))) return next();
    throw new MixspaceError('forbidden', 'A page of another site may not call this service; MIXSPACE_CORS_ORIGINS can allow its origin.');
  };
}

/** Those that the page asks for: SDKs send headers of their own. What is no list of names is not repeated. */
function allowedHeaders(asked: string | undefined): string {
  const isList = asked !== undefined && asked.length <= 4_096 && /^[\w-]+(\s*,\s*[\w-]+)*$/.test(asked);
  return isList ? asked : 'Authorization, Content-Type, Last-Event-ID';
}

function isOwn(origin: string, host: string | undefined): boolean {
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === new URL(`http://${host}`).host;
}

/**
 * What reaches out to a hub and fills the disk: for who has a key; where there are none, for this machine alone. Behind a
 * proxy everyone seems to be of this machine.
 */
export function ownMachineGuard(config: Config, keys: KeyRing): RequestHandler {
  return ({ method, socket, headers }, response, next) => {
    const isHere = isLoopback(config.host) && isLoopback(socket.remoteAddress ?? '') && headers['x-forwarded-for'] === undefined && headers.forwarded === undefined;
    const isAllowed = !keys.isOpen || isHere;
    setAllowed(response, isAllowed);
    if (!isAllowed && method === 'POST') throw new MixspaceError('forbidden', 'Without API keys, models are pulled from the machine itself alone; MIXSPACE_API_KEYS sets keys.');
    next();
  };
}

const setAllowed = (response: Response, isAllowed: boolean): void => void (response.locals['isAllowed'] = isAllowed);
/** What `ownMachineGuard` has found. */
export const isAllowedHere = ({ res }: Request): boolean => res?.locals['isAllowed'] === true;
