import { type Endpoint, endpointText } from '../address/endpoint.ts'
import type { Millis } from '../util/flavored.ts'
import { type PexCodec, type PexPeer, utPexCodec } from '../wire/utPexMessage.ts'

/** BEP 11: a peer is told no more often. */
export const PEX_INTERVAL_MS = 60_000

type Snapshot = ReadonlyMap<string, PexPeer>
const NOBODY: Snapshot = new Map()

/** How far one peer has been told. */
export class PexRecipient {
  /** Round whose peers it knows of; 0 before its first message. */
  round = 0
  lastSent: Millis = Number.NEGATIVE_INFINITY
}

/**
 * The messages one torrent sends (BEP 11): to a peer that is new, all whom we are connected to; then, each minute, who
 * came and who left. All peers share the messages of a round. A peer whose first message is less than a minute old at
 * a round is left out, and the next round tells it about both.
 */
export class PexOutbox {
  private round = 0
  private begunAt: Millis = Number.NEGATIVE_INFINITY
  /** Whom we were connected to at this round, and at the one before. */
  private present: Snapshot = NOBODY
  private before: Snapshot = NOBODY
  private sinceLast: News | null = null
  private sinceLastButOne: News | null = null

  constructor(private readonly codec: Pick<PexCodec, 'encode' | 'maxAdded'> = utPexCodec) {}

  /** Begins a round when a minute has passed. */
  tick(now: Millis, peers: () => Iterable<PexPeer>): void {
    if (now - this.begunAt < PEX_INTERVAL_MS) return
    const present = this.snapshot(peers())
    this.sinceLastButOne = new News(this.before, present, this.codec)
    this.sinceLast = new News(this.present, present, this.codec)
    this.before = this.present
    this.present = present
    this.begunAt = now
    this.round++
  }

  /** Those who were present before and still are, and as many of the others as go into a message: the rest comes later. */
  private snapshot(peers: Iterable<PexPeer>): Snapshot {
    const present = new Map<string, PexPeer>()
    const others: [string, PexPeer][] = []
    for (const peer of peers) {
      const key = endpointText(peer)
      if (this.present.has(key)) present.set(key, peer)
      else others.push([key, peer])
    }
    for (const [key, peer] of others.slice(0, this.codec.maxAdded)) present.set(key, peer)
    return present
  }

  /**
   * What to send to `recipient` now, or null. It counts as sent. `self`, the recipient as others are told of it, is left
   * out: nobody has to be told of itself.
   */
  take(recipient: PexRecipient, now: Millis, self: Endpoint | null = null): Uint8Array | null {
    if (recipient.round === this.round || now - recipient.lastSent < PEX_INTERVAL_MS) return null
    const message = this.newsSince(recipient.round)?.messageTo(self) ?? null
    recipient.round = this.round
    if (message !== null) recipient.lastSent = now
    return message
  }

  private newsSince(round: number): News | null {
    if (round === 0) return new News(NOBODY, this.present, this.codec)
    return round === this.round - 1 ? this.sinceLast : this.sinceLastButOne
  }
}

/** Who came and who left between two rounds. */
class News {
  private readonly added: readonly PexPeer[]
  private readonly dropped: readonly PexPeer[]
  /** To all who are not named in it. */
  private readonly shared: Uint8Array | null

  constructor(
    before: Snapshot,
    after: Snapshot,
    private readonly codec: Pick<PexCodec, 'encode' | 'maxAdded'>,
  ) {
    this.added = missing(after, before, codec.maxAdded)
    // Whoever is not told that somebody left keeps a place for him: all are named, as in libtorrent.
    this.dropped = missing(before, after, Number.POSITIVE_INFINITY)
    this.shared = this.encoded(this.added, this.dropped)
  }

  messageTo(self: Endpoint | null): Uint8Array | null {
    if (self === null || this.shared === null) return this.shared
    const isOther = ({ address, port }: PexPeer) => port !== self.port || address !== self.address
    const added = this.added.every(isOther) ? this.added : this.added.filter(isOther)
    const dropped = this.dropped.every(isOther) ? this.dropped : this.dropped.filter(isOther)
    return added === this.added && dropped === this.dropped ? this.shared : this.encoded(added, dropped)
  }

  private encoded(added: readonly PexPeer[], dropped: readonly PexPeer[]): Uint8Array | null {
    return added.length + dropped.length === 0 ? null : this.codec.encode({ added, dropped })
  }
}

function missing(from: Snapshot, other: Snapshot, limit: number): PexPeer[] {
  const peers: PexPeer[] = []
  for (const [key, peer] of from) {
    if (other.has(key)) continue
    peers.push(peer)
    if (peers.length === limit) break
  }
  return peers
}
