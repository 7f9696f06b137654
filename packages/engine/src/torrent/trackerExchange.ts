import { isLocal } from '../address/classify.ts'
import { TexInbox } from '../extensions/texInbox.ts'
import { TexOutbox, TexRecipient } from '../extensions/texOutbox.ts'
import { isFromPeers, isTold } from '../extensions/texPolicy.ts'
import type { TorrentInfo } from '../metainfo/torrentInfo.ts'
import { MAX_TIER, TrackerSource } from '../metainfo/trackerUrl.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import type { AnnounceEntry } from '../tracker/announceEntry.ts'
import type { TorrentTrackers } from '../tracker/torrentTrackers.ts'
import { limitTrackersPerHost } from '../tracker/trackersPerHost.ts'
import type { Millis } from '../util/flavored.ts'

export interface TrackerExchangeHost {
  readonly info: TorrentInfo
  readonly hasMetadata: boolean
  readonly trackers: TorrentTrackers
  readonly keepsToI2p: boolean
  now(): Millis
}

/** Peers make us use no more trackers of a torrent (libtorrent). */
const MAX_FROM_PEERS = 50
/** How old our idea of which trackers are good may be. */
const REFRESH_MS: Millis = 30_000

interface Partner {
  readonly recipient: TexRecipient
  readonly inbox: TexInbox
}

/**
 * Peers tell each other of trackers (BEP 28, `lt_tex`); not in private torrents (BEP 27). Trackers heard of come into a tier
 * of their own after all others, and one failure is enough to give them up. They are told nothing of what we have
 * transferred, they are not saved, and others hear of them only when they have answered us.
 */
export class TrackerExchange {
  private partnersMade: Map<PeerConnection, Partner> | null = null
  private outboxMade: TexOutbox | null = null
  private refreshedAt: Millis = Number.NEGATIVE_INFINITY

  constructor(private readonly host: TrackerExchangeHost) {}

  private get outbox(): TexOutbox {
    this.outboxMade ??= new TexOutbox()
    return this.outboxMade
  }

  private get partners(): Map<PeerConnection, Partner> {
    this.partnersMade ??= new Map()
    return this.partnersMade
  }

  /** Whether this torrent takes part; said in the extension handshake. */
  get isAllowed(): boolean {
    return !this.host.info.priv && !this.host.keepsToI2p
  }

  /** Hash of our list, for the extension handshake. */
  hash(): Uint8Array | undefined {
    if (!this.isAllowed) return undefined
    this.refresh(this.host.now())
    return this.outbox.hash
  }

  onPeerExtensions(peer: PeerConnection): void {
    const { extensions } = peer
    if (extensions.remoteId('lt_tex') === 0) this.partners.delete(peer)
    else if (!this.partners.has(peer)) {
      const recipient = new TexRecipient(this.host.now())
      this.outbox.compare(recipient, extensions.trackersHash)
      this.partners.set(peer, { recipient, inbox: new TexInbox() })
    }
  }

  onPeerGone(peer: PeerConnection): void {
    this.partners.delete(peer)
  }

  onMessage(peer: PeerConnection, payload: Uint8Array): void {
    const partner = this.partners.get(peer)
    if (partner === undefined || !this.isAllowed) return
    const urls = partner.inbox.receive(payload, this.host.now(), isLocal(peer.remote.address))
    if (typeof urls === 'string') return peer.fail(urls)
    if (urls.length > 0) this.add(urls)
  }

  /** The metadata is known: if the torrent is private, strangers' trackers have no business with it. */
  onMetadata(): void {
    if (this.isAllowed) return
    const { trackers } = this.host
    const entries = trackers.entries()
    const own = entries.filter((entry) => !isFromPeers(entry))
    if (own.length < entries.length) trackers.replace(own)
  }

  /** Once a second. */
  tick(now: Millis): void {
    if (this.partners.size === 0 || !this.isAllowed || !this.host.hasMetadata) return
    this.refresh(now)
    for (const [peer, { recipient }] of this.partners) {
      const message = this.outbox.take(recipient, now)
      if (message !== null) peer.sendExtended('lt_tex', message)
    }
  }

  private add(urls: readonly string[]): void {
    const { trackers } = this.host
    const entries = trackers.entries()
    const tier = tierForPeers(entries)
    const news = urls.map((url) => ({ url, tier, source: TrackerSource.tex, failLimit: 1 }))
    const isAllowed = new Set<object>(limitTrackersPerHost([...entries, ...news]))
    let left = MAX_FROM_PEERS - entries.filter(isFromPeers).length
    for (const spec of news) {
      if (left <= 0) return
      if (isAllowed.has(spec) && trackers.add(spec)) left--
    }
  }

  private refresh(now: Millis): void {
    if (now - this.refreshedAt < REFRESH_MS) return
    this.refreshedAt = now
    this.outbox.update(
      this.host.trackers
        .entries()
        .filter(isTold)
        .map(({ url }) => url),
    )
  }
}

/** After all tiers of trackers that we have from better sources. */
function tierForPeers(entries: readonly AnnounceEntry[]): number {
  let last = -1
  for (const entry of entries) if (!isFromPeers(entry)) last = Math.max(last, entry.tier)
  return Math.min(MAX_TIER, last + 1)
}
