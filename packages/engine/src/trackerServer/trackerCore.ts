import { HalfSipHash } from '../crypto/halfSipHash.ts'
import type { Random } from '../platform/random.ts'
import { toHex } from '../util/bytes.ts'
import type { Millis } from '../util/flavored.ts'
import { AddressRateLimit } from './addressRateLimit.ts'
import { AddressScope, isPeerAddress } from './addressScope.ts'
import type { AnnounceQuery } from './announceQuery.ts'
import { type Asker, PeerPicker } from './peerPicker.ts'
import type { SourceAddress } from './sourceAddress.ts'
import type { Swarm } from './swarm.ts'
import { peersOf, SwarmStore, scopeOf } from './swarmStore.ts'
import type { TrackerRules } from './trackerServerOptions.ts'
import { TrackerCounters, type TrackerStats } from './trackerStats.ts'

/** Why a request is not served, in the words its sender gets. */
export const Refusal = {
  notAllowed: 'this torrent is not served here',
  badPort: 'nobody can connect to port 0',
  badAddress: 'nobody can connect to this address',
  wrongKey: 'the key does not fit this address',
  tooMany: 'too many requests',
} as const
export type Refusal = (typeof Refusal)[keyof typeof Refusal]

/** Peers and torrents forgotten with each announce, so that they are never many at once. */
const EXPIRE_PER_ANNOUNCE = 2
/** And by the clock, when nobody announces. */
const EXPIRE_PER_TICK = 20_000

/** Who is in a swarm. */
export type SwarmCounts = Pick<Swarm, 'seeds' | 'downloaders'>

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

/**
 * A tracker without its sockets: who is in which swarm, who is told of whom, and who is refused. Time and chance are
 * given to it; what it answers does not depend on anything else.
 */
export class TrackerCore {
  readonly store: SwarmStore
  readonly counters = new TrackerCounters()
  /** Peers chosen by `choosePeers`. */
  readonly picker: PeerPicker
  /** Hexadecimal info-hashes of the torrents served; null: all. */
  allowed: ReadonlySet<string> | null = null
  /** Told of each announce that was served; null: nobody listens, and nothing is made for it. */
  onAnnounce: ((query: AnnounceQuery, swarm: SwarmCounts | null) => void) | null = null
  /** Swarm of the announce served last; null when it said `stopped` of a torrent nobody has. */
  private swarm: Swarm | null = null
  private slot = -1
  private readonly asker: Writable<Asker> = {
    scope: AddressScope.global,
    isSeed: false,
    isStarting: false,
    slot: -1,
    peerId: null,
  }
  private readonly rates: AddressRateLimit

  constructor(
    readonly rules: TrackerRules,
    random: Random,
  ) {
    const { maxTorrents, maxPeers, maxPeersPerTorrent } = rules
    const [peerTimeout, torrentTimeout] = [rules.peerTimeout * 1000, rules.torrentTimeout * 1000]
    this.store = new SwarmStore({ maxTorrents, maxPeers, maxPeersPerTorrent, peerTimeout, torrentTimeout }, random)
    this.picker = new PeerPicker(random, Math.max(rules.maxNumWant, rules.defaultNumWant))
    const rate = { perSecond: rules.requestsPerSecond, burst: rules.requestBurst }
    this.rates = new AddressRateLimit(rate, new HalfSipHash(random.u32(), random.u32()))
  }

  /**
   * Carries out an announce. Null when it is served: `choosePeers`, `complete` and `incomplete` then tell what to
   * answer, until the next one.
   */
  announce(query: AnnounceQuery, now: Millis): Refusal | null {
    this.store.expire(now, EXPIRE_PER_ANNOUNCE)
    const refusal = this.judge(query, now)
    if (refusal !== null) return this.refuse(refusal)
    this.counters.announces++
    this.slot = -1
    if (query.event === 'stopped') {
      this.store.leave(query)
      this.swarm = this.store.find(query.infoHash)
    } else {
      const { swarm, slot } = this.store.enter(query, now)
      this.swarm = swarm
      this.slot = slot
    }
    this.onAnnounce?.(query, this.swarm)
    return null
  }

  /** Seeds of the swarm that was announced last. */
  get complete(): number {
    return this.swarm?.seeds ?? 0
  }

  get incomplete(): number {
    return this.swarm?.downloaders ?? 0
  }

  get downloaded(): number {
    return this.swarm?.downloaded ?? 0
  }

  /** Peers the one who announced last gets, as many as it wants and the rules allow. */
  numWant(query: AnnounceQuery): number {
    if (query.event === 'stopped') return 0
    const { defaultNumWant, maxNumWant } = this.rules
    return Math.min(query.numWant < 0 ? defaultNumWant : query.numWant, maxNumWant)
  }

  /**
   * Chooses up to `wanted` peers with addresses of 4 or 16 bytes for the one who announced last; they are in `picker`.
   * Private addresses are for those who are in a private network, too, loopback ones for those on this machine.
   */
  choosePeers(query: AnnounceQuery, addressLength: 4 | 16, wanted: number): void {
    this.picker.count = 0
    if (this.swarm === null || wanted <= 0) return
    const sameFamily = query.address.length === addressLength
    const peers = addressLength === 16 && this.swarm.v6 === null ? null : peersOf(this.swarm, addressLength)
    if (peers === null) return
    const { asker } = this
    asker.scope = scopeOf(query)
    asker.isSeed = query.isSeed
    asker.isStarting = query.event === 'started'
    asker.slot = sameFamily ? this.slot : -1
    // Of the other family it is known by what it calls itself only.
    asker.peerId = sameFamily ? null : query.peerId
    this.picker.pick(peers, this.store.tableOf(addressLength), asker, wanted)
  }

  /** Whether the sender may scrape now. */
  scrape(query: AnnounceQuery, now: Millis): Refusal | null {
    const { source } = query
    if (!this.rates.take(source.bytes, source.length, now)) return this.limitRate()
    this.counters.scrapes++
    return null
  }

  /** Whether an address may make one more request of any other kind, which then counts. */
  admits({ bytes, length }: SourceAddress, now: Millis): boolean {
    if (this.rates.take(bytes, length, now)) return true
    this.limitRate()
    return false
  }

  /** Whether the torrent of an info-hash is served. */
  serves(infoHash: Uint8Array): boolean {
    return this.allowed === null || this.allowed.has(toHex(infoHash))
  }

  /** The swarm of an info-hash for a scrape, null when it is not known or not served. */
  find(infoHash: Uint8Array, at: number): Swarm | null {
    return this.store.find(infoHash, at)
  }

  /** Forgets what is due. To be called every second. */
  tick(now: Millis): void {
    this.store.expire(now, EXPIRE_PER_TICK)
  }

  /** All there is to count but for those who are there by WebSocket. */
  stats(): Omit<TrackerStats, 'webClients' | 'webPeers' | 'webSeeds'> {
    const { store } = this
    return { torrents: store.numTorrents, peers: store.numPeers, seeds: store.numSeeds, ...this.counters }
  }

  private judge(query: AnnounceQuery, now: Millis): Refusal | null {
    const { source, claimed } = query
    if (!this.rates.take(source.bytes, source.length, now)) return Refusal.tooMany
    if (!this.serves(query.infoHash)) return Refusal.notAllowed
    if (claimed.length !== 0 && !this.mayClaim(query)) claimed.length = 0
    const { bytes, length } = query.address
    if (!isPeerAddress(bytes, length)) return Refusal.badAddress
    if (query.event !== 'stopped' && query.port === 0) return Refusal.badPort
    return claimed.length === 0 || this.fitsKey(query) ? null : Refusal.wrongKey
  }

  private mayClaim(query: AnnounceQuery): boolean {
    const { ipParameter } = this.rules
    return ipParameter === 'all' || (ipParameter === 'local' && scopeOf(query) !== AddressScope.global)
  }

  /** Who speaks for an address that is not its own must be the one who did so before. */
  private fitsKey(query: AnnounceQuery): boolean {
    const swarm = this.store.find(query.infoHash)
    const slot = swarm === null ? -1 : this.store.findPeer(swarm, query)
    return slot === -1 || this.store.tableOf(query.address.length).secrets[slot] === query.key
  }

  private refuse(refusal: Refusal): Refusal {
    if (refusal === Refusal.tooMany) return this.limitRate()
    this.counters.refused++
    return refusal
  }

  private limitRate(): Refusal {
    this.counters.rateLimited++
    return Refusal.tooMany
  }
}
