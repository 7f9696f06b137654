// Joins the compiled modules of the engine, and of the command, into a few files each. Loading two hundred small
// modules takes longer than starting Node itself, and `lt` is to be connected before one notices that it had to start.
// What several entry points share stays shared, so that `instanceof` holds between `libtorrent-ts` and its testing part.
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))

const shared = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  splitting: true,
  sourcemap: true,
  logLevel: 'warning',
}

async function bundle(folder, entryPoints, more = {}) {
  const outdir = `${root}/packages/${folder}/dist/bundle`
  rmSync(outdir, { recursive: true, force: true })
  await build({ ...shared, ...more, absWorkingDir: `${root}/packages/${folder}`, entryPoints, outdir })
}

await bundle(
  'engine',
  {
    index: 'src/index.ts',
    tracker: 'src/trackerEntry.ts',
    testing: 'sim/index.ts',
    // A file of its own beside the others: worker threads start from it.
    diskWorkerEntry: 'src/node/diskWorkerEntry.ts',
  },
  // Dependencies are installed beside us.
  { external: ['saxes', '@noble/curves', 'mmdb-lib', 'ws', 'node-datachannel'] },
)
await bundle(
  'app',
  { index: 'src/index.ts' },
  {
    external: ['libtorrent-ts'],
    // The argument parser is CommonJS and asks for Node's modules by `require`.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  },
)
