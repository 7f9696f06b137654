/**
 * The product beside libtorrent, in one run on one machine. See README.md.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { LIBTORRENT_COMMAND, libtorrent, PYTHON } from '../interop/clients/libtorrent.ts'
import { LT_COMMAND, lt } from '../interop/clients/lt.ts'
import { dhtBench } from './benches/dht.ts'
import { encryptionBenches } from './benches/encryption.ts'
import { idleBench } from './benches/idle.ts'
import { parseBench } from './benches/parse.ts'
import { rawBench } from './benches/raw.ts'
import { recheckBench } from './benches/recheck.ts'
import { startupBench } from './benches/startup.ts'
import { swarmBench } from './benches/swarm.ts'
import { trackerBench } from './benches/tracker.ts'
import { bigTorrent, transferBenches, utpBench } from './benches/transfers.ts'
import { webSeedBenches } from './benches/webSeed.ts'
import type { Bench, BenchScene, Sample } from './lib/bench.ts'
import { BENCH_OUTPUT, buildProgram } from './lib/build.ts'
import { Engine } from './lib/engine.ts'
import { LIBTORRENT_LOOPBACK_SETTINGS } from './lib/libtorrentSettings.ts'
import { profileOptions, profileTable } from './lib/profile.ts'
import { type BenchResult, benchTable, judgeTargets, medians, targetTable } from './lib/report.ts'

const USAGE = `tsx bench/run.ts [--runs N] [--size MiB] [--torrents N] [--only name]... [--list] [--profile] [--stand-in]`

const MIB = 1 << 20

/** Processes that want a core while we measure. */
const BUSY_LOAD = 0.5

const STAND_IN_COMMAND = [PYTHON, fileURLToPath(new URL('../interop/clients/ltStandIn.py', import.meta.url))]

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    size: { type: 'string', default: '1024' },
    torrents: { type: 'string', default: '5000' },
    only: { type: 'string', multiple: true },
    list: { type: 'boolean' },
    profile: { type: 'boolean' },
    'stand-in': { type: 'boolean' },
    help: { type: 'boolean' },
  },
})
if (options.help) {
  console.log(USAGE)
  process.exit(0)
}

const root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'lt-bench-'))
process.once('exit', () => rmSync(root, { recursive: true, force: true }))

const profileDirectory = join(root, 'profile')

const scene: BenchScene = {
  root,
  size: Number(options.size) * MIB,
  idleTorrents: Number(options.torrents),
  libtorrent: new Engine('libtorrent', LIBTORRENT_COMMAND, {}, root),
  tunedLibtorrent: new Engine('libtorrent-tuned', LIBTORRENT_COMMAND, LIBTORRENT_LOOPBACK_SETTINGS, root),
  ours: ourEngine(),
  ltCommand: options['stand-in'] ? STAND_IN_COMMAND : (await lt.missing()) === null ? LT_COMMAND : null,
}

const fixture = bigTorrent(scene)
const benches: readonly Bench[] = [
  rawBench(scene),
  ...transferBenches(scene, fixture),
  utpBench(scene),
  ...webSeedBenches(scene, fixture),
  ...encryptionBenches(scene, fixture),
  recheckBench(scene, fixture),
  idleBench(scene),
  parseBench(scene),
  startupBench(scene, STAND_IN_COMMAND),
  trackerBench(scene),
  swarmBench(scene, fixture),
  dhtBench(scene),
].filter(({ name }) => options.only === undefined || options.only.includes(name))

if (options.list) for (const { name, title } of benches) console.log(`${name.padEnd(14)} ${title}`)
else await runAll()

/** Ours from the built package, or null when there is none. */
function ourEngine(): Engine | null {
  if (options['stand-in']) return new Engine('ours', LIBTORRENT_COMMAND, LIBTORRENT_LOOPBACK_SETTINGS, root)
  if (!existsSync(fileURLToPath(new URL('../packages/engine/dist/src/index.js', import.meta.url)))) return null
  const program = buildProgram(new URL('../interop/clients/engineDaemon.ts', import.meta.url))
  const nodeOptions = ['--expose-gc', ...(options.profile ? profileOptions(profileDirectory) : [])]
  return new Engine('ours', [process.execPath, ...nodeOptions, program], {}, root)
}

async function runAll(): Promise<void> {
  const missing = await libtorrent.missing()
  if (missing !== null) await libtorrent.install()
  const load = loadavg()[0] ?? 0
  if (load > BUSY_LOAD) console.log(`The machine is busy (load ${load.toFixed(1)}): figures will be low and uneven.\n`)
  const results: BenchResult[] = []
  for (const bench of benches) {
    const result = await runBench(bench, Number(options.runs))
    console.log(`${benchTable(result)}\n`)
    results.push(result)
    if (options.profile) printProfile()
  }
  const targets = judgeTargets(benches, results)
  console.log(targetTable(targets))
  mkdirSync(BENCH_OUTPUT, { recursive: true })
  const machine = { processors: cpus().length, model: cpus()[0]?.model, node: process.version }
  const conditions = { date: new Date().toISOString(), load, ...machine, ...options }
  writeFileSync(join(BENCH_OUTPUT, 'results.json'), `${JSON.stringify({ conditions, results, targets }, null, 2)}\n`)
}

function printProfile(): void {
  if (!existsSync(profileDirectory)) return
  console.log(`${profileTable(profileDirectory)}\n`)
  rmSync(profileDirectory, { recursive: true })
}

async function runBench({ name, title, variants: all }: Bench, runs: number): Promise<BenchResult> {
  const variants = options.profile ? all.filter((variant) => variant.name === 'ours') : all
  const samples = variants.map((): Sample[] => [])
  for (let run = 0; run < runs; run++) {
    for (const [index, variant] of variants.entries()) samples[index]?.push(await variant.run())
  }
  return {
    name,
    title,
    variants: variants.map((variant, index) => {
      const own = samples[index] ?? []
      return { name: variant.name, samples: own, medians: medians(own) }
    }),
  }
}
