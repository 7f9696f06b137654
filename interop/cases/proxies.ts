import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClientKind } from '../clients/client.ts'
import { LT_COMMAND } from '../clients/lt.ts'
import { LOGIN, type ProxyName, ProxyProgram, proxyRequirement } from '../clients/proxies.ts'
import { aptInstall, findProgram } from '../lib/install.ts'
import { OwnedProcess } from '../lib/processes.ts'
import { within } from '../lib/wait.ts'
import { announcedSeed, opentracker } from './announcedSeed.ts'
import { addressOf, expectSameContent, type InteropCase, type Requirement, type Stage } from './interopCase.ts'

const WAIT_MS = 30_000
const strace: Requirement = {
  name: 'strace',
  missing: async () => (findProgram('strace') === null ? 'strace' : null),
  install: async () => aptInstall('strace'),
}

interface Way {
  readonly proxy: ProxyName
  /** What `--proxy` is given, with the port behind. */
  readonly url: string
  readonly tracker: 'http' | 'udp'
}

const WAYS: readonly Way[] = [
  { proxy: 'microsocks', url: `socks5h://${LOGIN}@127.0.0.1`, tracker: 'http' },
  { proxy: 'dante', url: 'socks5://127.0.0.1', tracker: 'udp' },
  { proxy: 'dante', url: 'socks4://127.0.0.1', tracker: 'http' },
  { proxy: 'tinyproxy', url: `http://${LOGIN}@127.0.0.1`, tracker: 'http' },
]

interface WatchedWay extends Way {
  /** What there is to be found besides the torrent's own tracker. */
  readonly more: readonly string[]
}

/** Where names cannot be looked up, dante waits for that and carries nothing meanwhile; microsocks carries no UDP. */
const WATCHED: readonly WatchedWay[] = [
  { proxy: 'dante', url: 'socks5h://127.0.0.1', tracker: 'udp', more: ['--dht-router', '127.0.0.1:9'] },
  {
    proxy: 'microsocks',
    url: `socks5h://${LOGIN}@127.0.0.1`,
    tracker: 'http',
    more: [
      ...['--tracker', 'http://tracker.invalid/announce', '--tracker', 'udp://tracker.invalid:1/announce'],
      ...['--dht-router', 'router.invalid:1', '--set', 'announceToAllTiers=true'],
    ],
  },
]

/** `lt` behind other people's proxies. */
export function proxyCases(lt: ClientKind, other: ClientKind): InteropCase[] {
  return [
    ...WAYS.map((way) => ({
      name: `proxy: ${way.proxy} ${new URL(way.url).protocol.slice(0, -1)}, ${way.tracker} tracker, ${lt.name} downloads`,
      needs: [proxyRequirement(way.proxy), opentracker, lt, other],
      run: (stage: Stage) => downloadThrough(stage, way, lt, other),
    })),
    {
      name: `proxy: microsocks, ${lt.name} seeds`,
      needs: [proxyRequirement('microsocks'), lt, other],
      run: (stage: Stage) => seedThrough(stage, lt, other),
    },
    ...WATCHED.map((way) => ({
      name: `proxy: the kernel sees nothing but ${way.proxy}`,
      needs: [proxyRequirement(way.proxy), strace, opentracker, lt, other],
      run: (stage: Stage) => watchedByKernel(stage, way, other),
    })),
  ]
}

/** Whom there is to download from says a tracker that is asked through the proxy. */
async function downloadThrough(stage: Stage, way: Way, lt: ClientKind, other: ClientKind): Promise<undefined> {
  const { fixture, torrent, seeding, tracker } = await announcedSeed(stage, way.tracker, other, WAIT_MS)
  const proxy = stage.own(await ProxyProgram.start(way.proxy, stage.directory))
  const savePath = stage.subdirectory('downloaded')
  const url = `${way.url}:${proxy.port}`
  const downloading = await stage.start(lt, { role: 'download', source: torrent, savePath, peers: [], proxy: url })
  await downloading.finished(WAIT_MS)
  expectSameContent(fixture, savePath, lt)
  expectInLog(proxy, seeding.port)
  if (way.tracker === 'http') expectInLog(proxy, tracker.port)
  return undefined
}

async function seedThrough(stage: Stage, lt: ClientKind, other: ClientKind): Promise<undefined> {
  const fixture = stage.fixture('single')
  const savePath = stage.subdirectory('downloaded')
  const downloading = await stage.start(other, { role: 'download', source: fixture.torrent, savePath, peers: [] })
  const proxy = stage.own(await ProxyProgram.start('microsocks', stage.directory))
  const url = `socks5h://${LOGIN}@127.0.0.1:${proxy.port}`
  const peers = [addressOf(downloading)]
  const seedPath = stage.seedDirectory(fixture)
  await stage.start(lt, { role: 'seed', source: fixture.torrent, savePath: seedPath, peers, proxy: url })
  await downloading.finished(WAIT_MS)
  await downloading.stop()
  expectSameContent(fixture, savePath, other)
  expectInLog(proxy, downloading.port)
  return undefined
}

/**
 * A download with everything on that finds peers - trackers by name, DHT, local discovery, port mapping - under strace:
 * all that the process sends goes to the proxy.
 */
async function watchedByKernel(stage: Stage, way: WatchedWay, other: ClientKind): Promise<string> {
  const { fixture, torrent } = await announcedSeed(stage, way.tracker, other, WAIT_MS)
  const proxy = stage.own(await ProxyProgram.start(way.proxy, stage.directory))
  const savePath = stage.subdirectory('downloaded')
  const trace = join(stage.directory, 'trace')
  const watch = ['strace', '-f', '-qq', '-e', 'trace=connect,sendto,sendmsg,sendmmsg,bind,listen', '-o', trace]
  const options = ['--output', savePath, '--no-seed', '--proxy', `${way.url}:${proxy.port}`, '--anonymous']
  const command = [...watch, ...LT_COMMAND, 'download', torrent, ...options, ...way.more]
  const owned = OwnedProcess.start('strace', command, { log: join(stage.directory, 'strace.log') })
  const code = await within(WAIT_MS, 'lt under strace', owned.exited)
  if (code !== 0) throw new Error(`lt exited with ${code}:\n${owned.logTail()}`)
  const { proxied, astray } = judgeTrace(readFileSync(trace, 'utf8'), proxy.port)
  if (astray.length > 0) throw new Error(`past the proxy:\n${astray.slice(0, 10).join('\n')}`)
  if (proxied === 0) throw new Error('nothing went to the proxy: the trace shows nothing at all')
  expectSameContent(fixture, savePath, { name: 'lt', leavesOutEmptyFiles: false } as ClientKind)
  return `${proxied} calls, all to the proxy`
}

/** Sends and connections to addresses of the internet families, and ports that are listened on. */
function judgeTrace(trace: string, proxyPort: number): { proxied: number; astray: string[] } {
  const astray: string[] = []
  let proxied = 0
  for (const line of trace.split('\n')) {
    if (/\blisten\(/.test(line)) astray.push(line)
    if (/\bbind\(/.test(line) || !/sa_family=AF_INET6?\b/.test(line)) continue
    const port = Number(/sin6?_port=htons\((\d+)\)/.exec(line)?.[1])
    const isLocal = /inet_addr\("127\.0\.0\.1"\)/.test(line)
    // Packets go to the relay, a port of the proxy's choice; nobody else is on this address that lt knows of.
    const isRelay = isLocal && /\b(?:sendmsg|sendmmsg|sendto)\(/.test(line)
    if (isLocal && (port === proxyPort || isRelay)) proxied++
    else astray.push(line)
  }
  return { proxied, astray }
}

function expectInLog(proxy: ProxyProgram, port: number): void {
  if (!proxy.log.includes(String(port))) throw new Error(`the proxy knows nothing of port ${port}:\n${proxy.log}`)
}
