import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bencode } from '../../interop/lib/bencode.ts'
import { findProgram } from '../../interop/lib/install.ts'
import { OwnedProcess } from '../../interop/lib/processes.ts'
import type { TorrentFixture } from '../../interop/lib/torrentFixture.ts'
import { within } from '../../interop/lib/wait.ts'
import { type Bench, type BenchScene, megabytesPerSecond, type Sample, type Variant } from '../lib/bench.ts'
import type { Engine } from '../lib/engine.ts'
import { NGINX, startNginx } from '../lib/nginx.ts'
import { endedChildrenCpuSeconds } from '../lib/processUsage.ts'

/** Bytes a second and connection: some 840 Mbit/s, a fast line. */
const LIMIT = 100 << 20
const TIMEOUT_MS = 300_000
const CURL = findProgram('curl')

/** Takes the file from the server and throws it away, as bare Node can. */
const NODE_SCRIPT = "require('node:http').get(process.argv[1], (response) => response.on('data', () => {}))"

type Speed = 'full' | 'limited'

/** The content of a torrent from a web server, beside what downloads files and does not hash them. */
export function webSeedBenches(scene: BenchScene, fixture: () => TorrentFixture): Bench[] {
  const { ours, ltCommand } = scene
  if (NGINX === null || CURL === null) return []
  const output = join(scene.root, 'downloaded')
  const plain = (speed: Speed, name: string, command: readonly string[]): Variant => ({
    name,
    run: () => served(scene, fixture(), (url) => timed(scene, [...command, `${url}/${speed}/${fixture().name}`])),
  })
  const engine = (speed: Speed, leecher: Engine | null): Variant[] => {
    if (leecher === null) return []
    return [
      { name: 'ours', run: () => served(scene, fixture(), (url) => download(scene, leecher, fixture(), url, speed)) },
    ]
  }
  const whole = (speed: Speed): Variant[] => {
    if (ltCommand === null) return []
    const run = () =>
      served(scene, fixture(), (url) =>
        timed(scene, [...ltCommand, ...ltArguments(scene, fixture(), `${url}/${speed}/${fixture().name}`)]),
      )
    return [{ name: 'lt', run }]
  }
  const toFile = [CURL, '-s', '-o', output]
  return [
    {
      name: 'webseed',
      title: "download from nginx ('ours' from adding the torrent; 'lt' with its start and end; only these two hash)",
      variants: [
        plain('full', 'curl', toFile),
        plain('full', 'curl, thrown away', [CURL, '-s', '-o', '/dev/null']),
        plain('full', 'node:http, thrown away', [process.execPath, '-e', NODE_SCRIPT]),
        ...engine('full', ours),
        ...whole('full'),
      ],
      targets: [
        {
          text: "web seed rate >= 80% of curl's",
          value: 'webseed/ours/MB/s',
          reference: 'webseed/curl/MB/s',
          atLeast: 0.8,
        },
      ],
    },
    {
      name: 'webseed-limited',
      title: `the same when the server gives ${LIMIT >> 20} MiB a second`,
      variants: [plain('limited', 'curl', toFile), ...engine('limited', ours)],
      targets: [
        {
          text: "web seed rate at the server's limit >= 95% of curl's",
          value: 'webseed-limited/ours/MB/s',
          reference: 'webseed-limited/curl/MB/s',
          atLeast: 0.95,
        },
      ],
    },
  ]
}

function ltArguments(scene: BenchScene, { info }: TorrentFixture, url: string): string[] {
  const torrent = join(scene.root, 'webseed.torrent')
  writeFileSync(torrent, bencode({ info, 'url-list': url }))
  const alone = ['--no-seed', '--no-dht', '--no-lsd', '--no-upnp', '--no-natpmp']
  return ['download', torrent, '--output', join(scene.root, 'downloaded'), ...alone]
}

async function served(
  scene: BenchScene,
  fixture: TorrentFixture,
  run: (url: string) => Promise<{ seconds: number; cpu: number }>,
): Promise<Sample> {
  const server = await startNginx(join(scene.root, 'nginx'), fixture.directory, LIMIT)
  try {
    const { seconds, cpu } = await run(server.url)
    return { 'MB/s': megabytesPerSecond(fixture.totalSize, seconds * 1000), 'CPU s': cpu }
  } finally {
    await server.stop()
    rmSync(join(scene.root, 'downloaded'), { recursive: true, force: true })
  }
}

/** A program that does it all and ends. */
async function timed(scene: BenchScene, command: readonly string[]): Promise<{ seconds: number; cpu: number }> {
  const cpuBefore = endedChildrenCpuSeconds()
  const begin = performance.now()
  const owned = OwnedProcess.start('download', command, { log: join(scene.root, 'webseed.log') })
  const code = await within(TIMEOUT_MS, 'download', owned.exited)
  const seconds = (performance.now() - begin) / 1000
  if (code !== 0) throw new Error(`${command[0]} exited with ${code}:\n${owned.logTail()}`)
  return { seconds, cpu: endedChildrenCpuSeconds() - cpuBefore }
}

async function download(
  scene: BenchScene,
  engine: Engine,
  fixture: TorrentFixture,
  url: string,
  speed: Speed,
): Promise<{ seconds: number; cpu: number }> {
  const leecher = await engine.start()
  try {
    const cpuBefore = leecher.cpu()
    const begin = performance.now()
    const savePath = join(scene.root, 'downloaded')
    await leecher.add({ source: fixture.torrent, savePath, urlSeeds: [`${url}/${speed}/${fixture.name}`] })
    const { at } = await leecher.daemon.event('finished', TIMEOUT_MS, begin)
    return { seconds: (at - begin) / 1000, cpu: leecher.cpu() - cpuBefore }
  } finally {
    await leecher.quit()
  }
}
