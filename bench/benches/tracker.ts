import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { numberField } from '../../interop/lib/fields.ts'
import { findProgram } from '../../interop/lib/install.ts'
import { LineDaemon } from '../../interop/lib/lineDaemon.ts'
import { freePort, isListening } from '../../interop/lib/ports.ts'
import { OwnedProcess } from '../../interop/lib/processes.ts'
import { waitUntil } from '../../interop/lib/wait.ts'
import type { Bench, BenchScene, Sample } from '../lib/bench.ts'
import { BENCH_OUTPUT, buildProgram } from '../lib/build.ts'
import { cpuSeconds, memoryUse } from '../lib/processUsage.ts'
import { infoHashes } from '../tracker/infoHashes.ts'

const TORRENTS = 1000
const SECONDS = 4
const OPENTRACKER = 'opentracker'

/** Announces a UDP tracker answers, each with 50 peers, when one process asks as fast as it can. */
export function trackerBench(scene: BenchScene): Bench {
  const variants = [
    ...(findProgram(OPENTRACKER) === null ? [] : [{ name: OPENTRACKER, run: () => load(scene, startOpentracker) }]),
    ...(scene.ours === null ? [] : [{ name: 'ours', run: () => load(scene, startOurs) }]),
  ]
  return {
    name: 'tracker',
    title: `UDP announces, ${TORRENTS} torrents, 50 peers in each answer (one process asks; 'us' is the tracker's processor time)`,
    variants,
    targets: [
      {
        text: 'tracker: processor time of an announce <= 4 x opentracker',
        value: 'tracker/ours/us per announce',
        reference: 'tracker/opentracker/us per announce',
        atMost: 4,
      },
    ],
  }
}

type Start = (directory: string, port: number) => Promise<OwnedProcess>

async function load(scene: BenchScene, start: Start): Promise<Sample> {
  const directory = join(scene.root, 'tracker')
  mkdirSync(directory, { recursive: true, mode: 0o755 })
  const port = await freePort()
  const tracker = await start(directory, port)
  try {
    const program = programs().load
    const command = [process.execPath, program, String(port), String(TORRENTS), String(SECONDS)]
    const generator = await LineDaemon.start('load', command, { log: join(directory, 'load.log') })
    const begin = await generator.event('begin', 20_000)
    const cpuBefore = cpuSeconds(tracker.pid)
    const { fields } = await generator.event('end', (SECONDS + 10) * 1000, begin.at)
    const cpu = cpuSeconds(tracker.pid) - cpuBefore
    await generator.quit()
    const answers = numberField(fields, 'answers')
    if (numberField(fields, 'errors') > 0) throw new Error('the tracker refused announces')
    return {
      'announces/s': answers / numberField(fields, 'seconds'),
      'us per announce': (cpu / answers) * 1e6,
      'peers each': numberField(fields, 'peers') / answers,
      'RSS MB': memoryUse(tracker.pid).resident / 1e6,
    }
  } finally {
    await tracker.kill()
  }
}

async function startOpentracker(directory: string, port: number): Promise<OwnedProcess> {
  const hashes = infoHashes(TORRENTS).map((hash) => `${hash.toString('hex')}\n`)
  writeFileSync(join(directory, 'whitelist'), hashes.join(''))
  const where = ['-i', '127.0.0.1', '-p', String(port), '-P', String(port), '-d', directory, '-w', 'whitelist']
  const options = { log: join(directory, 'opentracker.log'), cwd: directory }
  const owned = OwnedProcess.start(OPENTRACKER, [findProgram(OPENTRACKER) ?? OPENTRACKER, ...where], options)
  await waitUntil(5000, 'opentracker listening', () => isListening(port), 20)
  return owned
}

async function startOurs(directory: string, port: number): Promise<OwnedProcess> {
  const command = [process.execPath, programs().ours, String(port)]
  return (await LineDaemon.start('tracker', command, { log: join(directory, 'ours.log') })).process
}

let built: { readonly load: string; readonly ours: string } | null = null

function programs() {
  const source = (name: string) => new URL(`../tracker/${name}.ts`, import.meta.url)
  if (built === null) {
    built = {
      load: buildProgram(source('udpLoad'), source('infoHashes')),
      ours: join(BENCH_OUTPUT, 'build', 'ours.js'),
    }
    buildProgram(source('ours'))
  }
  return built
}
