import type { PeerConnection } from '../peer/peerConnection.ts'
import type { Settings } from '../settings/settings.ts'
import type { Millis } from '../util/flavored.ts'
import type { Swarm } from './swarm.ts'

export interface AutoSequentialHost {
  readonly settings: Readonly<Settings>
  readonly swarm: Swarm
  now(): Millis
}

/** Connected peers, and seeds among them, from which on a swarm counts as well seeded (libtorrent). */
const MIN_PEERS = 10
const MIN_SEEDS = 10
/** Seeds for each peer that is none. */
const SEEDS_PER_DOWNLOADER = 10
/** The peers are counted anew after this time: they come and go, and the answer is wanted for every pick. */
const RECOUNT_MS = 1000

/** Whether a torrent is so well seeded that it may as well be downloaded in order (setting `auto_sequential`). */
export class AutoSequential {
  private countedAt: Millis = Number.NEGATIVE_INFINITY
  private wasWellSeeded = false

  constructor(private readonly host: AutoSequentialHost) {}

  get isOn(): boolean {
    if (!this.host.settings.autoSequential) return false
    const now = this.host.now()
    if (now - this.countedAt >= RECOUNT_MS) {
      this.countedAt = now
      this.wasWellSeeded = isWellSeeded(this.host.swarm.connections)
    }
    return this.wasWellSeeded
  }
}

function isWellSeeded(connections: Iterable<PeerConnection>): boolean {
  let peers = 0
  let seeds = 0
  for (const peer of connections) {
    if (peer.state === 'connecting') continue
    peers++
    if (peer.isSeed) seeds++
  }
  return peers >= MIN_PEERS && seeds >= MIN_SEEDS && (peers - seeds) * SEEDS_PER_DOWNLOADER <= seeds
}
