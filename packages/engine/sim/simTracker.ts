import { type Endpoint, endpointText, isV6 } from '../src/address/endpoint.ts'
import { shuffle } from '../src/platform/random.ts'
import { toHex } from '../src/util/bytes.ts'
import type { Sha1Hash } from '../src/util/digest.ts'
import type { Millis, Seconds } from '../src/util/flavored.ts'
import type { SeededRandom } from './seededRandom.ts'
import type { VirtualTime } from './virtualTime.ts'

/** Why a peer announces (BEP 3, 21); `none` for the regular announces in between. */
export type AnnounceEvent = 'none' | 'completed' | 'started' | 'stopped' | 'paused'

/** An announce as it came in, whichever protocol it spoke. */
export interface AnnounceRequest {
  /** 20 bytes. */
  readonly infoHash: Uint8Array
  /** 20 bytes. */
  readonly peerId: Uint8Array
  /** Where the peer listens: the address the request came from, with the port it told. */
  readonly peer: Endpoint
  /** Why it announces. */
  readonly event: AnnounceEvent
  /** Payload bytes since `started`. */
  readonly uploaded: number
  /** Payload bytes since `started`. */
  readonly downloaded: number
  /** Bytes it lacks. */
  readonly left: number
  /** Peers it asks for; -1 when it did not say. */
  readonly numWant: number
  /** Tells it from others at its address; 0 when it did not say. */
  readonly key: number
  /** All parameters of an HTTP announce, decoded as Latin-1; empty for UDP. */
  readonly parameters: Readonly<Record<string, string>>
}

/** An announce, and what became of it. */
export interface AnnounceRecord extends AnnounceRequest {
  /** When it reached the tracker, ms since the simulation began. */
  readonly time: Millis
  /** How it came. */
  readonly protocol: 'http' | 'udp'
  /** What it was answered with. */
  readonly answer: TrackerAnswer
}

/** A scrape that reached the tracker. */
export interface ScrapeRecord {
  /** When, ms since the simulation began. */
  readonly time: Millis
  /** Torrents it asked for, as hexadecimal digits. */
  readonly infoHashes: readonly string[]
}

/** Departures from the ordinary answer. */
export interface ScriptedReply {
  /** The tracker refuses, with this text. */
  readonly failureReason?: string
  /** BEP 31: minutes, or `never`; with a failure. */
  readonly retryIn?: number | 'never'
  /** A warning beside the answer. */
  readonly warning?: string
  /** Seconds until the next announce; instead of the tracker's own. */
  readonly interval?: Seconds
  /** Seconds before which no announce is wanted; instead of the tracker's own. */
  readonly minInterval?: Seconds
  /** The id it is to be told with the announces that follow. */
  readonly trackerId?: string
  /** BEP 24: the address the tracker claims to see. */
  readonly externalAddress?: string
  /** Peers to name instead of the swarm. */
  readonly peers?: readonly Endpoint[]
  /** HTTP status. Default 200. */
  readonly status?: number
  /** HTTP headers. */
  readonly headers?: Readonly<Record<string, string>>
  /** Raw bytes instead of an answer: an HTTP body, or a UDP packet. */
  readonly raw?: Uint8Array
  /** Time the tracker thinks, ms. Default 0. */
  readonly delay?: Millis
}

/** `timeout`: no answer; `fail`: a failure reason; `refuse`: nobody listens (HTTP; silence over UDP). */
export type TrackerAnswer = 'ok' | 'timeout' | 'fail' | 'refuse' | ScriptedReply

/** What a simulated tracker answers. */
export interface TrackerOptions {
  /** Answers to the announces in turn; after the last: `ok`. Default: all `ok`. */
  readonly answers?: readonly TrackerAnswer[]
  /** Seconds between announces. Default 1800. */
  readonly interval?: Seconds
  /** Seconds before which no announce is wanted. Default: not told. */
  readonly minInterval?: Seconds
  /** Most peers in one answer. Default 50, as numwant. */
  readonly maxPeers?: number
}

/** What the swarm of a torrent looks like to the tracker. */
export interface SwarmCounts {
  /** Peers that lack nothing. */
  readonly seeds: number
  /** The others. */
  readonly downloaders: number
  /** How often somebody said `completed`. */
  readonly completed: number
}

interface SwarmPeer {
  readonly endpoint: Endpoint
  left: number
}

interface Swarm {
  readonly peers: Map<string, SwarmPeer>
  completed: number
}

/**
 * A tracker: it keeps swarms, records every announce, and answers by a script or truthfully.
 * HTTP and UDP front ends translate for it.
 */
export class SimTracker {
  /** Every announce that reached the tracker, first to last. */
  readonly announces: AnnounceRecord[] = []
  readonly scrapes: ScrapeRecord[] = []
  /** Query strings of HTTP announces without info-hash, peer id or port: those are refused. */
  readonly refusedQueries: string[] = []
  /** While true the tracker does not answer at all. */
  isDown = false
  /** While true it tells who announces over HTTP where the announce came from (BEP 24). */
  seesAddresses = false
  interval: Seconds
  minInterval: Seconds | undefined
  private readonly script: TrackerAnswer[]
  private readonly maxPeers: number
  private readonly swarms = new Map<string, Swarm>()

  constructor(
    private readonly time: VirtualTime,
    private readonly random: SeededRandom,
    readonly url: string,
    options: TrackerOptions = {},
  ) {
    this.script = [...(options.answers ?? [])]
    this.interval = options.interval ?? 1800
    this.minInterval = options.minInterval
    this.maxPeers = options.maxPeers ?? 50
  }

  /** Times of all announces, since the simulation began, whole milliseconds. */
  get announceTimes(): readonly Millis[] {
    return this.announces.map((announce) => Math.round(announce.time))
  }

  /** Events of all announces, in order. */
  get events(): readonly AnnounceEvent[] {
    return this.announces.map((announce) => announce.event)
  }

  /** More answers, after those scripted already. */
  answerNext(...answers: readonly TrackerAnswer[]): void {
    this.script.push(...answers)
  }

  /** The tracker knows of this peer, though it never announced here. */
  addPeer(infoHash: Sha1Hash, endpoint: Endpoint, options: { readonly seed?: boolean } = {}): void {
    this.swarm(infoHash.bytes).peers.set(endpointText(endpoint), { endpoint, left: options.seed ? 0 : 1 })
  }

  /** Peers the tracker knows of. */
  peersOf(infoHash: Sha1Hash): readonly Endpoint[] {
    return [...this.swarm(infoHash.bytes).peers.values()].map((peer) => peer.endpoint)
  }

  countsOf(infoHash: Uint8Array): SwarmCounts {
    const swarm = this.swarm(infoHash)
    let seeds = 0
    for (const peer of swarm.peers.values()) if (peer.left === 0) seeds++
    return { seeds, downloaders: swarm.peers.size - seeds, completed: swarm.completed }
  }

  knows(infoHash: Uint8Array): boolean {
    return this.swarms.has(toHex(infoHash))
  }

  // For the front ends.

  /** Takes the next answer of the script. Only an answered announce changes the swarm. */
  announce(request: AnnounceRequest, protocol: 'http' | 'udp'): TrackerAnswer {
    const answer = this.isDown ? 'timeout' : (this.script.shift() ?? 'ok')
    this.announces.push({ ...request, time: this.time.elapsed, protocol, answer })
    const refused = typeof answer === 'string' ? answer !== 'ok' : answer.failureReason !== undefined
    if (!refused) this.enter(request)
    return answer
  }

  scraped(infoHashes: readonly Uint8Array[]): void {
    this.scrapes.push({ time: this.time.elapsed, infoHashes: infoHashes.map(toHex) })
  }

  /** Other peers of the swarm, in random order, of one family or of both. */
  choosePeers(request: AnnounceRequest, family: 'v4' | 'v6'): readonly Endpoint[] {
    if (request.event === 'stopped') return []
    const others: Endpoint[] = []
    for (const { endpoint, left } of this.swarm(request.infoHash).peers.values()) {
      if (isV6(endpoint.address) !== (family === 'v6') || endpointText(endpoint) === endpointText(request.peer))
        continue
      // Seeds are of no use to a seed.
      if (left > 0 || request.left > 0) others.push(endpoint)
    }
    const wanted = request.numWant < 0 ? this.maxPeers : Math.min(request.numWant, this.maxPeers)
    return shuffle(others, this.random).slice(0, wanted)
  }

  private enter(request: AnnounceRequest): void {
    const swarm = this.swarm(request.infoHash)
    const key = endpointText(request.peer)
    if (request.event === 'completed') swarm.completed++
    if (request.event === 'stopped') swarm.peers.delete(key)
    else swarm.peers.set(key, { endpoint: request.peer, left: request.left })
  }

  private swarm(infoHash: Uint8Array): Swarm {
    const key = toHex(infoHash)
    let swarm = this.swarms.get(key)
    if (swarm === undefined) {
      swarm = { peers: new Map(), completed: 0 }
      this.swarms.set(key, swarm)
    }
    return swarm
  }
}
