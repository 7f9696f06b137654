import { mkdirSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { OwnedProcess } from '../../interop/lib/processes.ts'
import { makeTorrentFixture } from '../../interop/lib/torrentFixture.ts'
import { within } from '../../interop/lib/wait.ts'
import type { Bench, BenchScene, Sample } from '../lib/bench.ts'

const TIMEOUT_MS = 20_000

/** From the start of the process `lt download --peer` until the peer, a bare listener, sees its connection. */
export function startupBench(scene: BenchScene, standInCommand: readonly string[]): Bench {
  const commands = [
    ['libtorrent', standInCommand],
    ['ours', scene.ltCommand],
    ['node', [process.execPath, '-e', CONNECT_SCRIPT]],
  ] as const
  return {
    name: 'startup',
    title:
      "lt download --peer: process start to first connection ('libtorrent': the same from Python; 'node': bare Node)",
    variants: commands.flatMap(([name, command]) =>
      command === null ? [] : [{ name, run: () => firstConnection(scene, command) }],
    ),
    targets: [{ text: 'start-up to first connection < 300 ms', value: 'startup/ours/ms', atMost: 300 }],
  }
}

/** Takes the place of lt and does nothing but connect to the address after --peer. */
const CONNECT_SCRIPT =
  "const [host, port] = process.argv[process.argv.indexOf('--peer') + 1].split(':'); require('node:net').connect(+port, host)"

async function firstConnection(scene: BenchScene, command: readonly string[]): Promise<Sample> {
  const directory = join(scene.root, 'startup')
  mkdirSync(directory, { recursive: true })
  const options = { name: 'small', single: true, files: [{ path: 'small', size: 100_000 }], pieceLength: 16_384 }
  const { torrent } = makeTorrentFixture(directory, options)
  const server = createServer()
  try {
    const port = await listen(server)
    const args = ['download', torrent, '--output', join(directory, 'downloaded'), '--peer', `127.0.0.1:${port}`]
    const connected = new Promise<number>((resolve) => {
      server.once('connection', (socket) => {
        resolve(performance.now())
        socket.on('error', () => {}).resume()
      })
    })
    const begin = performance.now()
    const owned = OwnedProcess.start('lt', [...command, ...args], { log: join(scene.root, 'lt.log') })
    const at = await within(TIMEOUT_MS, 'first connection', connected)
    await owned.kill()
    return { ms: at - begin }
  } finally {
    server.close()
  }
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
}
