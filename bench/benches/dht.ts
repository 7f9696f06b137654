import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PYTHON } from '../../interop/clients/libtorrent.ts'
import { numberField } from '../../interop/lib/fields.ts'
import { LineDaemon } from '../../interop/lib/lineDaemon.ts'
import { freePort } from '../../interop/lib/ports.ts'
import { waitUntil } from '../../interop/lib/wait.ts'
import { itemText } from '../dht/items.ts'
import type { Bench, BenchScene, Sample } from '../lib/bench.ts'
import { buildProgram } from '../lib/build.ts'
import { cpuSeconds } from '../lib/processUsage.ts'

const NODES = 1000
const LOOKUPS = 400
/** Times each item is looked up while it counts: once it was before, so that V8 has compiled and tables are full. */
const ROUNDS = 5
const PARALLEL = 16
const SECONDS = 4
/** Nodes somebody has to know before it is asked to find things. */
const ENOUGH_NODES = 30

const LIBTORRENT = [PYTHON, fileURLToPath(new URL('../../interop/clients/libtorrentDht.py', import.meta.url))]
const NETWORK = fileURLToPath(new URL('../dht/network.ts', import.meta.url))
const source = (name: string) => new URL(`../dht/${name}.ts`, import.meta.url)

/** Items found in a network of a thousand nodes of ours, and questions answered, by libtorrent and by us. */
export function dhtBench(scene: BenchScene): Bench {
  return {
    name: 'dht',
    title: `DHT of ${NODES} nodes on loopback: ${LOOKUPS} items looked up, ${PARALLEL} at a time, again and again; then one process asks for peers ('us': processor time)`,
    variants: [
      { name: 'libtorrent', run: () => measure(scene, LIBTORRENT) },
      ...(scene.ours === null
        ? []
        : [{ name: 'ours', run: () => measure(scene, [process.execPath, buildProgram(source('dhtClient'))]) }]),
    ],
    targets: [
      {
        text: 'dht: lookups a second >= 0.5 x libtorrent',
        value: 'dht/ours/lookups/s',
        reference: 'dht/libtorrent/lookups/s',
        atLeast: 0.5,
      },
      {
        text: 'dht: processor time of an answer <= 3 x libtorrent',
        value: 'dht/ours/us per answer',
        reference: 'dht/libtorrent/us per answer',
        atMost: 3,
      },
    ],
  }
}

async function measure(scene: BenchScene, command: readonly string[]): Promise<Sample> {
  const directory = join(scene.root, 'dht')
  mkdirSync(directory, { recursive: true })
  const log = (name: string) => ({ log: join(directory, `${name}.log`) })
  const tsx = [process.execPath, '--import', import.meta.resolve('tsx')]
  const network = await LineDaemon.start('network', [...tsx, NETWORK, String(NODES), String(LOOKUPS)], log('network'))
  try {
    const { fields } = await network.event('network', 60_000)
    const client = await LineDaemon.start('client', command, log('client'))
    try {
      const { port } = await client.request('start', { port: await freePort() })
      for (const known of fields.ports as number[]) await client.request('addNode', { port: known })
      await waitUntil(60_000, 'a table to begin with', async () => {
        return numberField(await client.request('nodes'), 'count') >= ENOUGH_NODES
      })
      return { ...(await lookUp(client)), ...(await answer(client, Number(port), directory)) }
    } finally {
      await client.quit()
    }
  } finally {
    await network.process.kill()
  }
}

async function lookUp(client: LineDaemon): Promise<Sample> {
  const first = await lookUpItems(client, 1)
  const later = await lookUpItems(client, ROUNDS)
  return { 'lookups/s': later.rate, 'us per lookup': later.cpu, 'us for the first': first.cpu }
}

/** Lookups a second, and microseconds of processor time for each. */
async function lookUpItems(client: LineDaemon, rounds: number): Promise<{ rate: number; cpu: number }> {
  const targets = Array.from({ length: LOOKUPS * rounds }, (_, i) => {
    const text = itemText(i % LOOKUPS)
    return createHash('sha1').update(`${text.length}:${text}`).digest('hex')
  })
  const before = cpuSeconds(client.process.pid)
  const result = await client.request('getItems', { targets, parallel: PARALLEL })
  const cpu = cpuSeconds(client.process.pid) - before
  const found = numberField(result, 'found')
  if (found < targets.length * 0.95) throw new Error(`only ${found} of ${targets.length} items were found`)
  return { rate: targets.length / numberField(result, 'seconds'), cpu: (cpu / targets.length) * 1e6 }
}

async function answer(client: LineDaemon, port: number, directory: string): Promise<Sample> {
  const command = [process.execPath, buildProgram(source('dhtLoad')), String(port), String(SECONDS)]
  const load = await LineDaemon.start('load', command, { log: join(directory, 'load.log') })
  const begin = await load.event('begin', 20_000)
  const before = cpuSeconds(client.process.pid)
  const { fields } = await load.event('end', (SECONDS + 10) * 1000, begin.at)
  const cpu = cpuSeconds(client.process.pid) - before
  const answers = numberField(fields, 'answers')
  return {
    'answers/s': answers / numberField(fields, 'seconds'),
    'us per answer': (cpu / answers) * 1e6,
    'bytes each': numberField(fields, 'bytes') / answers,
  }
}
