import { hostname, networkInterfaces } from 'node:os'
import { TrackerServer, type TrackerStats } from 'libtorrent-ts/tracker'
import { CliError, reasonOf } from '../cliError.ts'
import { formatCount, plural } from '../output/format.ts'
import type { Output } from '../output/output.ts'
import { onStopSignals } from '../signals.ts'

/** Options of `lt tracker` as commander gives them. */
export interface TrackerOptions {
  readonly port?: number
  readonly host?: readonly string[]
  /** Seconds. */
  readonly interval?: number
  readonly http: boolean
  readonly udp: boolean
  /** Undefined: if it is installed. */
  readonly ws?: boolean
  readonly trustProxy?: boolean
}

/** How often a line of statistics is written: for people, and for programs. */
const STATS_MS = 60_000
const JSON_STATS_MS = 10_000

/** `lt tracker`: serves as a tracker until it is interrupted. */
export async function tracker(options: TrackerOptions, output: Output): Promise<number> {
  if (!options.http && !options.udp && options.ws !== true) {
    throw new CliError('With --no-http and --no-udp nothing is left to serve, but for --ws.')
  }
  const server = new TrackerServer({
    port: options.port,
    hosts: options.host,
    interval: options.interval,
    minInterval: Math.min(60, options.interval ?? 60),
    http: options.http,
    udp: options.udp,
    ws: options.ws,
    trustProxy: options.trustProxy,
  })
  await server.ready.catch((error: unknown) => {
    const where = options.port === undefined ? 'the usual port, 6969,' : `port ${options.port}`
    throw new CliError(`The tracker cannot listen on ${where}: ${reasonOf(error)}. Choose another with --port.`, 1, {
      cause: error,
    })
  })
  server.on('error', (error) => output.warn(`The tracker: ${reasonOf(error)}`))
  // Before anybody learns that it runs, and may want it to stop.
  const stopped = new Promise<void>((resolve) => onStopSignals(() => resolve()))
  report(server, options, output)

  let last = ''
  const tell = () => {
    const stats = server.stats()
    const line = statsLine(stats)
    // Nothing new is worth no line of a log.
    if (line !== last || output.mode === 'json') output.report({ type: 'statistics', ...stats }, line)
    last = line
  }
  const timer = setInterval(tell, output.mode === 'json' ? JSON_STATS_MS : STATS_MS)
  await stopped
  clearInterval(timer)
  await server.close()
  tell()
  return 0
}

function report(server: TrackerServer, options: TrackerOptions, output: Output): void {
  const urls = reachableHosts(options.host).flatMap((host) => server.urls(host))
  const lines = ['The tracker is running. Its announce URLs are:', ...urls.map((url) => `  ${url}`)]
  output.report({ type: 'listening', port: server.port, listening: server.listening, urls }, lines)
}

/** Names and addresses others may know this machine by: those given, or those its interfaces have. */
function reachableHosts(hosts: readonly string[] | undefined): string[] {
  const given = (hosts ?? []).filter((host) => host !== '0.0.0.0' && host !== '::')
  if (given.length > 0) return given
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  // A link-local address says nothing without the name of the interface.
  const outside = addresses.filter(({ internal, address }) => !internal && !/^(?:fe80|169\.254)/i.test(address))
  const found = outside.map(({ address }) => address)
  return found.length > 0 ? found : [hostname()]
}

function statsLine(stats: TrackerStats): string {
  const parts = [
    plural(stats.torrents, 'torrent'),
    `${plural(stats.peers, 'peer')} (${plural(stats.seeds, 'seed')})`,
    `${plural(stats.announces, 'announce')} (${formatCount(stats.udpAnnounces)} by UDP)`,
    plural(stats.scrapes, 'scrape'),
  ]
  if (stats.webAnnounces > 0) {
    const peers = `${plural(stats.webPeers, 'WebRTC peer')} (${plural(stats.webSeeds, 'seed')})`
    parts.push(`${peers}, ${plural(stats.offers, 'offer')}, ${plural(stats.answers, 'answer')}`)
  }
  if (stats.refused > 0) parts.push(`${formatCount(stats.refused)} refused`)
  if (stats.rateLimited > 0) parts.push(`${formatCount(stats.rateLimited)} too often`)
  return parts.join(', ')
}
