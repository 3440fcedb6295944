/** Who may know whom. Each rule says what it protects. */
const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^src/', pathNot: [from, ...allowed] },
});

/** The store's two ports, the parts of the catalog's among them. */
const storePorts = '^src/store/(catalog|classifier-catalog|copy-catalog|item-content|full-text|job-catalog|job-leases|reembedding-catalog|result-catalog|store|survey-catalog|sync-catalog|tile-catalog|vector-index)\\.ts$';
/** The hub's one port. */
const hubPort = '^src/hub/model-source\\.ts$';
const anyone = ['^src/domain/', '^src/(errors|telemetry|c-heap|files|file-names|content-hash|open-file|picture-files|ignore-rules|map-limited|printable|secrets|web-assembly|program-facts)\\.ts$'];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circles', comment: 'In a circle no file can be understood without the others.', severity: 'error', from: {}, to: { circular: true } },
    only('contract-knows-zod-and-domain-alone', '^src/contract/', ['^src/domain/'], 'Page, client and server all load it: it must weigh nothing and know nobody.'),
    { name: 'contract-imports-zod-alone', comment: 'See above, of packages.', severity: 'error', from: { path: '^src/contract/' }, to: { path: 'node_modules', pathNot: 'node_modules/zod' } },
    only('client-knows-the-contract', '^src/client/', ['^src/(contract|domain)/'], 'It is published alone, and runs in a browser.'),
    { name: 'client-and-page-know-no-node', comment: 'They run in a browser.', severity: 'error', from: { path: '^src/(client|dashboard)/' }, to: { dependencyTypes: ['core'] } },
    only('page-knows-the-client', '^src/dashboard/', ['^src/client/', '^src/contract/'], 'What the page can do, every client can do.'),
    {
      name: 'pages-know-no-other-page',
      comment: 'Each is loaded when it is gone to, and can be replaced alone; what two of them need stands in shell/ or items/.',
      severity: 'error',
      from: { path: '^src/dashboard/(search|map|classify|compare|library)/' },
      to: { path: '^src/dashboard/(search|map|classify|compare|library)/', pathNot: '^src/dashboard/$1/' },
    },
    { name: 'the-shell-loads-pages-late', comment: 'See above.', severity: 'error', from: { path: '^src/dashboard/(shell|items)/' }, to: { path: '^src/dashboard/(search|map|classify|compare|library)/', dependencyTypesNot: ['dynamic-import'] } },
    only('encoder-knows-nobody', '^src/encoder/', anyone, 'The encoder can be tested, moved and replaced alone: it never sees the store or whoever calls it.'),
    { name: 'the-pool-knows-no-process', comment: 'What loads native code runs in the encoder workers alone; they and the pool know one protocol.', severity: 'error', from: { path: '^src/encoder/pool/' }, to: { path: '^src/encoder/(worker|text)/', dependencyTypesNot: ['type-only'] } },
    { name: 'a-worker-knows-no-pool', comment: 'A worker answers: who asks, and when, is not its business.', severity: 'error', from: { path: '^src/encoder/(worker|protocol|package|picture|text)/' }, to: { path: '^src/encoder/(pool|cache|open\\.ts)' } },
    only('store-knows-nobody', '^src/store/', anyone, 'The same of the store.'),
    only('pictures-know-no-engine', '^src/store/pictures/', ['^src/store/(catalog|reembedding-catalog|tile-catalog)\\.ts$', ...anyone], 'Every catalog keeps pictures as files, whatever keeps its rows.'),
    { name: 'engines-know-no-other', comment: 'Each can be replaced alone; what two of them need stands beside the ports.', severity: 'error', from: { path: '^src/store/(embedded|postgres)/' }, to: { path: '^src/store/(embedded|postgres)/', pathNot: '^src/store/$1/' } },
    only('operations-know-the-ports', '^src/operations/', ['^src/contract/', '^src/jobs/', '^src/encoder/(encoder|picture/media-type)\\.ts$', hubPort, storePorts, ...anyone], 'A use case works with any encoder, any store and any hub: it knows the ports, not who is behind them.'),
    only('jobs-know-the-ports', '^src/jobs/', ['^src/contract/', '^src/store/job-(catalog|leases)\\.ts$', ...anyone], 'The runner of long work keeps its table and its order; what the work is, whoever gives it says.'),
    only('hub-knows-the-names-of-variants', '^src/hub/', ['^src/encoder/package/variants\\.ts$', ...anyone], 'Files from a hub into a folder: it knows which are which by their names, nothing of what is in them, and whoever wants another source replaces it alone.'),
    { name: 'hub-alone-imports-undici', comment: "Loading it takes the place of the dispatcher under the process's own fetch.", severity: 'error', from: { path: '^src/', pathNot: '^src/hub/' }, to: { path: 'node_modules/undici/' } },
    only('http-knows-operations', '^src/http/', ['^src/operations/', '^src/jobs/', '^src/contract/', '^src/mcp/endpoint\\.ts$', '^src/config\\.ts$', '^src/store/catalog\\.ts$', ...anyone], 'HTTP is one way in among others: it translates, and decides nothing.'),
    only('service-knows-the-adapters', '^src/service\\.ts$', ['^src/operations/', '^src/jobs/', '^src/encoder/', '^src/store/', '^src/hub/', '^src/config\\.ts$', ...anyone], 'The only file that names concrete classes.'),
    only('the-package-knows-the-service', '^src/index\\.ts$', ['^src/service\\.ts$', '^src/http/', '^src/config\\.ts$', '^src/client/', ...anyone], 'What a program imports: the service in its own process, and the client to it.'),
    only('serve-knows-the-service', '^src/cli/serve\\.ts$', ['^src/service\\.ts$', '^src/http/', '^src/config\\.ts$', '^src/client/', '^src/cli/', ...anyone], 'The one command that runs the service in its own process.'),
    only('models-commands-know-the-hub', '^src/cli/models/', ['^src/hub/', '^src/config\\.ts$', '^src/client/', '^src/contract/', '^src/cli/', ...anyone], 'They tend the models directory of this machine, which no client of a service may; they never open a store or a model.'),
    only('directory-commands-know-the-store', '^src/cli/directory/', ['^src/store/(embedded/(check|restore)|postgres/check|open|copying)\\.ts$', '^src/config\\.ts$', '^src/client/', '^src/contract/', '^src/domain/', '^src/cli/', ...anyone], 'They tend an index directory that no service uses.'),
    only('doctor-looks-at-the-machine', '^src/cli/doctor/', ['^src/encoder/(encoder|examine)\\.ts$', '^src/store/(embedded/look|postgres/check)\\.ts$', '^src/hub/lock\\.ts$', '^src/http/access/', '^src/config\\.ts$', '^src/client/', '^src/cli/', ...anyone], 'It looks at what a service would use, where none may be running: at files and packages, never through the store or the pool.'),
    { name: 'commands-go-through-the-client', comment: 'What the command line can do, every client can do.', severity: 'error', from: { path: '^src/cli/', pathNot: '^src/cli/(serve\\.ts$|setting-flags\\.ts$|mcp\\.ts$|doctor/|models/|directory/)' }, to: { path: '^src/', pathNot: ['^src/(cli|client|contract)/', ...anyone] } },
    only('mcp-command-knows-mcp', '^src/cli/mcp\\.ts$', ['^src/mcp/stdio\\.ts$', '^src/client/', '^src/contract/', '^src/cli/', ...anyone], 'An MCP server that a host starts itself is a client of a service, as all other commands are.'),
    only('mcp-goes-through-the-client', '^src/mcp/', ['^src/(client|contract)/', ...anyone], 'What an assistant can do, every client can do.'),
    only('main-knows-the-cli', '^src/main\\.ts$', ['^src/cli/', ...anyone], 'It parses the command line and runs one command.'),
    only('errors-know-nobody', '^src/errors\\.ts$', [], 'Anyone may import it.'),
    only('domain-knows-nobody', '^src/domain/', [], 'The ground floor: anyone may import it.'),
    only('picture-files-know-files', '^src/picture-files\\.ts$', ['^src/domain/', '^src/encoder/picture/media-type\\.ts$', '^src/(errors|files|file-names|folder-walk|ignore-rules|open-file|map-limited)\\.ts$'], 'The command line and the service both look for pictures in folders, by the first bytes that the encoder goes by.'),
    only('walks-know-files', '^src/(folder-walk|ignore-rules)\\.ts$', ['^src/(errors|files|file-names|folder-walk|ignore-rules|map-limited)\\.ts$'], 'A walk finds files: what is in them is the business of whoever walks.'),
    only('files-know-names', '^src/(files|open-file)\\.ts$', ['^src/file-names\\.ts$'], 'Anyone may import them.'),
    only('these-know-nobody', '^src/(c-heap|file-names|content-hash|map-limited|web-assembly|program-facts)\\.ts$', [], 'Anyone may import them.'),
    {
      name: 'unnamed-folders-know-nobody',
      comment: 'A new folder gets its rule before it gets its first import.',
      severity: 'error',
      from: { path: '^src/([^/]+)/', pathNot: '^src/(cli|client|contract|dashboard|domain|encoder|http|hub|jobs|mcp|operations|store)/' },
      to: { path: '^src/', pathNot: '^src/$1/' },
    },
    { name: 'src-never-imports-tests', comment: 'The product ships without them.', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|demo|scripts)/' } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js'], conditionNames: ['import', 'node', 'default'], exportsFields: ['exports'] },
  },
};
