import { setTimeout } from 'node:timers/promises'
import { Session } from 'libtorrent-ts'
import { CliError, reasonOf } from '../cliError.ts'
import { isI2pHost } from '../options/i2pOptions.ts'
import { networkOf, type ProxyOptions, proxyOptionSettings } from '../options/proxyOptions.ts'
import { plural } from '../output/format.ts'
import type { Output } from '../output/output.ts'
import { infoHashOf, readSource } from '../torrentSource.ts'
import { reportI2p } from '../transfer/reportI2p.ts'
import { reportProxy } from '../transfer/reportProxy.ts'

/** No alert tells of a session with the router. */
const I2P_POLL_MS = 100

/** Options of `lt scrape` as commander gives them. */
export interface ScrapeOptions extends ProxyOptions {
  readonly tracker?: readonly string[]
}

/** `lt scrape`: asks each tracker how many seeds and peers it knows. Exit code 0 when one of them tells. */
export async function scrape(source: string, options: ScrapeOptions, output: Output): Promise<number> {
  const settings = proxyOptionSettings(options)
  const torrent = await readSource(source, networkOf(settings))
  const { trackers } = torrent.kind === 'torrent' ? torrent.info : torrent.magnet
  const infoHash = infoHashOf(torrent)
  const urls = [...new Set([...(options.tracker ?? []), ...trackers.map(({ url }) => url)])]
  if (urls.length === 0) throw new CliError(`${source}: it names no tracker. Name one with --tracker URL.`)

  const session = new Session({
    noListen: true,
    settings: { ...settings, enableDht: false, enableLsd: false, enableUpnp: false, enableNatpmp: false },
  })
  reportProxy(session, output)
  reportI2p(session, output)
  try {
    if (options.i2p !== undefined && urls.some(isInI2p)) await i2pAnswer(session)
    // Known by its info-hash only: nothing is looked for on disk.
    const handle = session.addTorrent({ infoHash, trackers: urls, savePath: '.', paused: true, autoManaged: false })
    let numTold = 0
    let numOpen = handle.trackers().length
    await new Promise<void>((resolve) => {
      const ended = () => {
        if (--numOpen === 0) resolve()
      }
      session.on('scrapeReply', ({ url, complete, incomplete }) => {
        const downloads = handle.trackers().find((entry) => entry.url === url)?.scrapeDownloaded ?? -1
        const line = `${url}  ${counted(complete, 'seed')}, ${counted(incomplete, 'peer')}, ${counted(downloads, 'download')}`
        output.report({ type: 'scraped', tracker: url, seeds: complete, peers: incomplete, downloads }, line)
        numTold++
        ended()
      })
      session.on('scrapeFailed', ({ url, error, msg }) => {
        // What a tracker says it says in its own words.
        const text = msg === error.message ? reasonOf(error) : msg
        output.warn(`Tracker ${url}: ${text}`, { tracker: url })
        ended()
      })
      for (const index of handle.trackers().keys()) handle.scrapeTracker(index)
    })
    return numTold === 0 ? 1 : 0
  } finally {
    await session.abort()
  }
}

function isInI2p(url: string): boolean {
  return URL.canParse(url) && isI2pHost(new URL(url).hostname)
}

/** The router has made a session for us, or cannot. */
async function i2pAnswer(session: Session): Promise<void> {
  let isRefused = false
  session.once('i2p', () => {
    isRefused = true
  })
  while (session.i2pAddress === '' && !isRefused) await setTimeout(I2P_POLL_MS)
}

/** Not every tracker tells every count. */
function counted(count: number, noun: string): string {
  return count < 0 ? `${noun}s unknown` : plural(count, noun)
}
