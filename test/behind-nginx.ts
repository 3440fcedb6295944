/**
 * Puts an nginx before each service that tests start, when MIXSPACE_BEHIND_NGINX=1 is set: TLS ends there, answers are
 * compressed, and the service is shown under a path. `npm run behind-nginx` runs page and API tests so.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { reservePort } from './free-ports.js';

export const isBehindNginx = process.env['MIXSPACE_BEHIND_NGINX'] === '1';

/** Before each path of the service, as its users see them. */
export const publicPath = isBehindNginx ? '/photos' : '';
export const behindNginx: Record<string, string> = isBehindNginx ? { MIXSPACE_TRUSTED_PROXIES: 'loopback', MIXSPACE_BASE_PATH: publicPath } : {};

/** For calls that fetch does not make, of the service where its users find it. */
export const { get, request } = (isBehindNginx ? https : http) as typeof http;

const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/** By the service's port: one that starts again has the address that it had. They end with this process. */
const fronts = new Map<number, Promise<string>>();

/** The address of the service on this port. */
export function frontOf(servicePort: number): Promise<string> {
  const known = fronts.get(servicePort) ?? start(servicePort);
  fronts.set(servicePort, known);
  return known;
}

async function start(servicePort: number): Promise<string> {
  const { port, release } = await reservePort();
  const folder = mkdtempSync(path.join(tmpdir(), 'mixspace-nginx-'));
  const at = (name: string): string => path.join(folder, name);
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', at('key.pem'), '-out', at('cert.pem'), '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'], { stdio: 'ignore' });
  writeFileSync(
    at('nginx.conf'),
    `daemon off; worker_processes 1; error_log ${at('error.log')}; pid ${at('pid')};
events { worker_connections 512; }
http {
  access_log off; client_max_body_size 0;
  ${kinds.map((kind) => `${kind}_temp_path ${at(kind)};`).join(' ')}
  gzip on; gzip_proxied any; gzip_types application/json text/css text/javascript application/javascript;
  server {
    listen 127.0.0.1:${port} ssl; ssl_certificate ${at('cert.pem')}; ssl_certificate_key ${at('key.pem')};
    location ${publicPath}/ {
      proxy_pass http://127.0.0.1:${servicePort}; proxy_http_version 1.1; proxy_set_header Connection '';
      proxy_buffering off; proxy_request_buffering off; proxy_read_timeout 600s;
      proxy_set_header X-Forwarded-Host $http_host; proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
`,
  );
  // Whatever ends this process ends the pipe, and that nginx.
  const watch = spawn('sh', ['-c', 'nginx -c "$0/nginx.conf" & read -r _; kill $!; rm -rf "$0"', folder], { stdio: ['pipe', 'ignore', 'ignore'] });
  watch.once('exit', release);
  return `https://127.0.0.1:${port}${publicPath}`;
}
