/**
 * The engine's folders, bottom to top. A folder may import those above its own line in this list, never those below
 * (docs/architecture.md). `node/` is the only one that touches the world; `sim/` is a second world beside it.
 */
const layers = [
  'util',
  'errors',
  'crypto',
  'bencode',
  'address',
  'filter',
  'platform',
  'http',
  'metainfo',
  'ssl',
  'alerts',
  'settings',
  'stats',
  'proxy',
  'i2p',
  'wire',
  'mse',
  'utp',
  'transport',
  'tracker',
  'trackerServer',
  'dht',
  'portmap',
  'lsd',
  'rtc',
  'bandwidth',
  'picker',
  'peers',
  'choking',
  'resume',
  'disk',
  'plugin',
  'extensions',
  'peer',
  'webseed',
  'torrent',
  'session',
  'node',
  'api',
]

const src = 'packages/engine/src'
/** Files that run in a worker thread: each is its own little program. */
const workerEntries = `^${src}/(node|disk)/[^/]*[wW]orker(Entry|Main)\\.ts$`
/** Node's modules that only compute. */
const pureModules = '^(node:)?(buffer|crypto|events|path)$'

const layerRules = layers
  .filter((folder) => folder !== 'api')
  .map((folder) => ({
    name: `layer-${folder}`,
    comment: `${folder}/ may only import ${layers.slice(0, layers.indexOf(folder) + 1).join(', ')}.`,
    severity: 'error',
    from: { path: `^${src}/${folder}/`, pathNot: workerEntries },
    to: {
      path: `^${src}/|^packages/engine/sim/`,
      pathNot: `^${src}/(${layers.slice(0, layers.indexOf(folder) + 1).join('|')})/`,
    },
  }))

module.exports = {
  forbidden: [
    ...layerRules,
    {
      name: 'known-folder',
      comment: 'A new folder needs its place in the list of layers (.dependency-cruiser.cjs).',
      severity: 'error',
      from: {},
      to: { path: `^${src}/[^/]+/`, pathNot: `^${src}/(${layers.join('|')})/` },
    },
    {
      name: 'node-only-from-api',
      comment: 'Only api/, the entry point and worker entries know the real world; everybody else is given a Platform.',
      severity: 'error',
      from: { path: `^${src}/`, pathNot: [`^${src}/((node|api)/|index\\.ts$)`, workerEntries] },
      to: { path: `^${src}/node/` },
    },
    {
      name: 'world-only-in-node',
      comment: 'Sockets, files, threads and clocks of Node are used in node/ and disk/store/ only.',
      severity: 'error',
      from: { path: `^${src}/`, pathNot: [`^${src}/(node|disk/store)/`, workerEntries] },
      to: { dependencyTypes: ['core'], pathNot: pureModules },
    },
    {
      name: 'no-circular',
      comment: 'Two files that need each other share a third. Only a type may point back, as a Host interface does.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'entry-point-is-for-users',
      comment: 'Import from the file that defines the thing.',
      severity: 'error',
      from: { path: `^${src}/` },
      to: { path: `^${src}/index\\.ts$` },
    },
    {
      name: 'app-uses-the-public-api',
      comment: 'The command line is a user like any other.',
      severity: 'error',
      from: { path: '^packages/app/' },
      to: { path: '^packages/engine/(src|sim)/(?!index\\.ts$)' },
    },
    {
      name: 'declared-dependencies',
      severity: 'error',
      from: { path: '^packages/' },
      to: {
        dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'npm-dev'],
        // Optional packages are peers, and for our tests development dependencies.
        dependencyTypesNot: ['type-only', 'npm-peer'],
      },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', 'packages/[^/]+/dist'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.test.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
}
