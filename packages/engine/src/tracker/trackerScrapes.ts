import type { AnnounceEndpoint } from './announceEndpoint.ts'
import type { AnnounceEntry } from './announceEntry.ts'
import type { TorrentTrackersHost } from './torrentTrackersHost.ts'
import type { TrackerList } from './trackerList.ts'
import type { TrackerNews } from './trackerNews.ts'
import type { ScrapeReply, SwarmCounts, TrackerFailure, TrackerPeer } from './trackerRequest.ts'

/** What one torrent asks beside its announces: scrapes, and the addresses of peers that trackers gave by name. */
export class TrackerScrapes {
  /** How to cancel what is under way. */
  private readonly pending = new Set<() => void>()

  constructor(
    private readonly host: TorrentTrackersHost,
    private readonly list: TrackerList,
    private readonly news: TrackerNews,
  ) {}

  /** Asks `entry` for the size of the swarm. It counts whichever listen socket it is asked from. */
  scrape(entry: AnnounceEntry, done: (result: ScrapeReply | TrackerFailure) => void): void {
    const { infoHash, login, privateTorrent, applyIpFilter, tls } = this.host.announceParams()
    const cancel = this.host.client.scrape(
      { url: entry.url, infoHash, login, privateTorrent, applyIpFilter, tls, highPriority: true },
      (result) => {
        this.pending.delete(cancel)
        if (result.kind === 'scrape') {
          this.noteCounts(entry, result, null)
          this.news.scraped(entry, result)
        } else {
          if (result.permanent) entry.retire()
          this.news.scrapeFailed(entry, result)
        }
        done(result)
      },
    )
    this.pending.add(cancel)
  }

  /** `entry` told the size of the swarm, if it did: in answer to an announce `from` a listen socket, or to a scrape. */
  noteCounts(entry: AnnounceEntry, counts: SwarmCounts, from: AnnounceEndpoint | null): void {
    entry.noteCounts(counts, from)
    // Trackers see different parts of a swarm: the largest counts are nearest to the truth.
    let complete = -1
    let incomplete = -1
    let downloaded = -1
    for (const known of this.list.entries) {
      complete = Math.max(complete, known.scrapeComplete)
      incomplete = Math.max(incomplete, known.scrapeIncomplete)
      downloaded = Math.max(downloaded, known.scrapeDownloaded)
    }
    this.host.onScrape(complete, incomplete, downloaded)
  }

  resolvePeer(peer: TrackerPeer, url: string, from: string): void {
    const cancel = this.host.client.resolvePeer(peer.address, (addresses) => {
      this.pending.delete(cancel)
      if (addresses.length > 0) this.host.onTrackerPeers([{ ...peer, address: addresses[0] }], url, from)
    })
    this.pending.add(cancel)
  }

  cancelAll(): void {
    for (const cancel of this.pending) cancel()
    this.pending.clear()
  }
}
