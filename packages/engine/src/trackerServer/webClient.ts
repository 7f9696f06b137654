import type { WebSocketClient } from '../platform/webSocketServer.ts'
import type { Millis } from '../util/flavored.ts'
import { type TimeSource, TokenBucket } from '../util/tokenBucket.ts'
import { SourceAddress } from './sourceAddress.ts'
import type { WebSubject } from './webRequest.ts'
import type { WebMember } from './webSwarm.ts'

/** Torrents one client may be in. */
const MAX_TORRENTS = 1000
/** Offers one client may pass on at once, and one more each interval: what a client of many torrents begins with. */
const OFFERS_AT_ONCE = 500
const OFFER_INTERVAL_MS: Millis = 100
/** Offers one peer is sent at once, and one more each interval: more it would not look at. */
const OFFERED_AT_ONCE = 100
const OFFERED_INTERVAL_MS: Millis = 200
/** Whoever does not take what it is sent is left. */
const MAX_UNSENT_BYTES = 512 * 1024
/** Offers a client was sent and has not answered, of which is remembered whose they are. */
const MAX_UNANSWERED = 200

/** One client of a WebSocket tracker: its connection, and the torrents it is in. */
export class WebClient {
  /** By info-hash, those that announced longest ago first. */
  readonly members = new Map<string, WebMember<WebClient>>()
  /** Whose offer each was that it was sent, by info-hash and offer id; the oldest first. */
  private readonly unanswered = new Map<string, WebMember<WebClient>>()
  /** Where it comes from, and as text. */
  readonly source: SourceAddress
  readonly address: string
  /** Messages in a row that were none. */
  garbage = 0
  private readonly offers: TokenBucket
  private readonly offered: TokenBucket

  constructor(
    private readonly socket: WebSocketClient,
    time: TimeSource,
    /** When it last said something. */
    public heard: Millis,
  ) {
    this.address = socket.address
    this.source = new SourceAddress().parse(socket.address)
    this.offers = new TokenBucket(time, OFFERS_AT_ONCE, OFFER_INTERVAL_MS)
    this.offered = new TokenBucket(time, OFFERED_AT_ONCE, OFFERED_INTERVAL_MS)
  }

  get isFull(): boolean {
    return this.members.size >= MAX_TORRENTS
  }

  /** Whether it may pass on one more offer. */
  mayOffer(): boolean {
    return this.offers.take()
  }

  /** Whether it is to be sent one more offer. */
  mayBeOffered(): boolean {
    return this.offered.take()
  }

  /** It announced as `member`. */
  hear(member: WebMember<WebClient>, now: Millis): void {
    const { infoHash } = member.swarm
    member.heard = now
    this.members.delete(infoHash)
    this.members.set(infoHash, member)
  }

  /** It was sent an offer: it may answer it. */
  wasOffered(offerId: string, from: WebMember<WebClient>): void {
    const [oldest] = this.unanswered.keys()
    if (this.unanswered.size >= MAX_UNANSWERED && oldest !== undefined) this.unanswered.delete(oldest)
    this.unanswered.set(from.swarm.infoHash + offerId, from)
  }

  /** Who offered this to it; once, and only while that one is there. */
  takeOffer(infoHash: string, offerId: string): WebMember<WebClient> | null {
    const key = infoHash + offerId
    const from = this.unanswered.get(key) ?? null
    this.unanswered.delete(key)
    return from !== null && from.swarm.find(from.peerId) === from ? from : null
  }

  refuse(why: string, about: WebSubject): void {
    this.send({ ...about, 'failure reason': why })
  }

  send(message: object): void {
    if (this.socket.unsentBytes > MAX_UNSENT_BYTES) this.socket.close()
    else this.socket.send(JSON.stringify(message))
  }

  close(): void {
    this.socket.close()
  }
}
