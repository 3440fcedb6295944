import { of, type Mutation } from './mutation.js';

const doors = ['test/http.test.ts'];
const guards = of('src/http/guards.ts', doors);
const errors = of('src/http/errors.ts', doors);
const app = of('src/http/app.ts', doors);
const handlers = of('src/http/handlers.ts', doors);
const answers = of('src/http/answers.ts', doors);
const keyed = ['test/keys.test.ts', ...doors];
const keyRing = of('src/http/access/key-ring.ts', keyed);
const accessGuard = of('src/http/access/guard.ts', keyed);
const wires = of('src/http/wires/wires.ts', ['test/wires.test.ts']);

export const ofHttp: Mutation[] = [
  guards('any-address-as-host', '(everywhere && ipaddr.isValid(name))', 'ipaddr.isValid(name)', 'A service of the loopback answers to addresses that are not its own.'),
  guards('links-lead-into-the-api', " && !request.path.startsWith('/v1'))", ')', 'A page elsewhere can open what the service holds.'),
  guards('another-port-is-home', 'new URL(origin).host === new URL(`http://${host}`).host', 'new URL(origin).hostname === new URL(`http://${host}`).hostname', 'Whatever else runs on this machine may call from a browser.'),
  keyRing('the-last-key-alone', '[...this.#fixed, ...grants].map(', '[...this.#fixed, ...grants].slice(-1).map(', 'Of several keys only one opens.'),
  keyRing('a-broken-file-lets-nobody-in', '      if (!grants) return;', '      if (!grants) return this.#hold([]);', 'A slip in the keys file locks everybody out.'),
  accessGuard('read-keys-write', '    requireScope(access, scope);', '', 'A key that may read deletes.'),
  accessGuard('keys-of-some-reach-all', "    if (namesCollection) requireCollection(access, String(request.params['name']));", '', 'A key of one collection reads another.'),
  wires('wires-without-keys', 'keyed(keyGuard(parts.keys))', 'openedGuard', 'Where keys are set, whoever speaks another protocol needs none.'),
  accessGuard('bearer-in-one-spelling', '(\\S+)\\s*$/i.exec', '(\\S+)\\s*$/.exec', 'Clients that write "bearer" are refused.'),
  guards('caches-mix-origins', "    response.setHeader('Vary', 'Origin');\n", '', "A cache gives one site's permission to another."),
  errors('no-retry-after', "response.setHeader('Retry-After', String(Math.max(1, Math.ceil(error.retryAfter))));", ';', 'Clients that are told to come back later do not know when.'),
  errors('full-disk-is-a-defect', 'disk_full: 507', 'disk_full: 500', 'A full disk looks like a defect.'),
  errors('answer-lost-to-who-still-sends', '  if (request.complete) response.end();\n  else drain(request, response);', '  response.end();', 'Clients see a broken connection and not why.'),
  app('work-for-nobody', "  response.on('close', leave);\n", '', 'What a caller asked who hung up is done all the same.'),
  answers('pictures-in-shared-caches', "'private, no-cache'", "'public, no-cache'", 'A proxy gives pictures to those without a key.'),
  app('a-metric-for-each-path', "request.originalUrl.startsWith('/v1') ? 'unknown'", "request.originalUrl.startsWith('/v1') ? request.originalUrl", 'Strangers fill the metrics.'),
  handlers('all-false-deletes-all', "all: query.all === 'true'", 'all: query.all !== undefined', '`all=false` deletes everything.'),
  handlers('metadata-of-other-files', 'if (told.length !== files.length) {', 'if (told.length < files.length) {', 'A list of metadata that does not fit the files is taken as if it did.'),
];
