import { Session } from 'libtorrent-ts'
import { CliError, reasonOf } from '../cliError.ts'
import { networkOf, type ProxyOptions, proxyOptionSettings } from '../options/proxyOptions.ts'
import { plural } from '../output/format.ts'
import type { Output } from '../output/output.ts'
import { infoHashOf, readSource } from '../torrentSource.ts'
import { reportProxy } from '../transfer/reportProxy.ts'

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
  try {
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

/** Not every tracker tells every count. */
function counted(count: number, noun: string): string {
  return count < 0 ? `${noun}s unknown` : plural(count, noun)
}
