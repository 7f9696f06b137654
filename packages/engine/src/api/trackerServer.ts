import { EventEmitter } from 'node:events'
import { bytesToAddress } from '../address/addressBytes.ts'
import { endpointText, isV6 } from '../address/endpoint.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import { NodeHttpServer } from '../node/nodeHttpServer.ts'
import { NodeRandom } from '../node/nodeRandom.ts'
import { NodeClock, NodeTimers } from '../node/nodeTime.ts'
import { NodeUdp } from '../node/nodeUdp.ts'
import type { AnnounceEvent, AnnounceQuery } from '../trackerServer/announceQuery.ts'
import type { SwarmCounts } from '../trackerServer/trackerCore.ts'
import type { TrackerServerOptions } from '../trackerServer/trackerServerOptions.ts'
import { TrackerService, type TrackerServiceHost } from '../trackerServer/trackerService.ts'
import type { TrackerStats } from '../trackerServer/trackerStats.ts'
import { toHex } from '../util/bytes.ts'
import { BigNumber } from '../util/digest.ts'

/** An announce that was served. */
export interface TrackerAnnounce {
  /** Lower-case hexadecimal. */
  readonly infoHash: string
  readonly address: string
  /** 0 for a WebRTC peer, who has none. */
  readonly port: number
  readonly event: AnnounceEvent
  readonly isSeed: boolean
  /** Seeds and downloaders of the torrent, this peer included. */
  readonly complete: number
  readonly incomplete: number
}

/** Events of a `TrackerServer`, and what their listeners get. */
export interface TrackerServerEvents {
  readonly announce: TrackerAnnounce
  /** Something failed while running; the tracker goes on as far as it can. */
  readonly error: LibtorrentError
}

/** How the other end of the tracker's sockets looks; for tests that put it into another world. */
export type TrackerServerWorld = Omit<TrackerServiceHost, 'onError'>

/** What the kernel keeps of announces that come while we are busy. */
const UDP_BUFFER_BYTES = 4 << 20

/**
 * A BitTorrent tracker: peers of a torrent announce themselves to it and are told of one another, over HTTP (BEP 3, 7,
 * 23, 48) and UDP (BEP 15), IPv4 and IPv6, all on one port; with the package `ws` it introduces WebRTC peers, browsers
 * among them, by WebSocket as WebTorrent's trackers do. Constructing it starts it. It keeps everything in memory,
 * within the limits of its options, and serves strangers.
 *
 * @example
 * const tracker = new TrackerServer({ port: 6969 })
 * await tracker.ready
 * console.log(tracker.urls('tracker.example'))
 */
export class TrackerServer {
  /** Resolves when it listens; rejects with a `LibtorrentError` (`EADDRINUSE`, ...) when it cannot. */
  readonly ready: Promise<void>
  private readonly service: TrackerService
  private readonly emitter = new EventEmitter()
  private readonly allowedHashes: Set<string>
  private closing: Promise<void> | null = null

  /** @throws RangeError for options that make no sense */
  constructor(options: TrackerServerOptions = {}, world: TrackerServerWorld = nodeWorld()) {
    this.allowedHashes = new Set(Array.from(options.allowed ?? [], hashText))
    const onError = (error: LibtorrentError) => {
      if (this.emitter.listenerCount('error') > 0) this.emitter.emit('error', error)
    }
    this.service = new TrackerService({ ...world, onError }, options)
    if (options.allowed !== undefined) this.service.core.allowed = this.allowedHashes
    this.ready = new Promise((resolve, reject) => {
      this.service.open((error) => (error === null ? resolve() : reject(error)))
    })
    // Who does not wait for it learns of a failure by `port`.
    this.ready.catch(() => {})
  }

  /** The port it listens on; 0 while it does not. */
  get port(): number {
    return this.service.listeners[0]?.local.port ?? 0
  }

  /** What it listens on, such as `udp 0.0.0.0:6969`. */
  get listening(): readonly string[] {
    return this.service.listeners.map(({ protocol, local }) => `${protocol} ${endpointText(local)}`)
  }

  /** The announce URLs for those who reach this machine as `host`, a name or an address. */
  urls(host: string): readonly string[] {
    const name = isV6(host) ? `[${host}]` : host
    const protocols = new Set(this.service.listeners.map(({ protocol }) => protocol))
    return [...protocols].map((protocol) => `${protocol}://${name}:${this.port}/announce`)
  }

  stats(): TrackerStats {
    return this.service.stats()
  }

  /** Serves one more torrent, if only some are served. */
  allow(infoHash: BigNumber | string): void {
    this.allowedHashes.add(hashText(infoHash))
  }

  /** Serves a torrent no more. Those who are in its swarm are forgotten with time. Without effect if all are served. */
  disallow(infoHash: BigNumber | string): void {
    this.allowedHashes.delete(hashText(infoHash))
  }

  on<Event extends keyof TrackerServerEvents>(
    event: Event,
    listener: (what: TrackerServerEvents[Event]) => void,
  ): this {
    this.emitter.on(event, listener)
    return this.listen()
  }

  off<Event extends keyof TrackerServerEvents>(
    event: Event,
    listener: (what: TrackerServerEvents[Event]) => void,
  ): this {
    this.emitter.off(event, listener)
    return this.listen()
  }

  /** Closes all sockets. Takes half a second at most. */
  close(): Promise<void> {
    this.closing ??= new Promise((resolve) => this.service.close(resolve))
    return this.closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Events are made only while somebody listens. */
  private listen(): this {
    const { core } = this.service
    const wanted = this.emitter.listenerCount('announce') > 0
    core.onAnnounce = wanted ? (query, swarm) => this.emitter.emit('announce', announceOf(query, swarm)) : null
    return this
  }
}

function announceOf(query: AnnounceQuery, swarm: SwarmCounts | null): TrackerAnnounce {
  const { bytes, length } = query.address
  return {
    infoHash: toHex(query.infoHash),
    address: bytesToAddress(bytes.subarray(0, length)),
    port: query.port,
    event: query.event,
    isSeed: query.isSeed,
    complete: swarm?.seeds ?? 0,
    incomplete: swarm?.downloaders ?? 0,
  }
}

/** The first 20 bytes, as trackers know a torrent. @throws RangeError for what is no info-hash */
function hashText(hash: BigNumber | string): string {
  const text = (hash instanceof BigNumber ? hash.toHex() : hash).toLowerCase()
  if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text)) {
    throw new RangeError(`an info-hash is 40 or 64 hexadecimal digits, not "${text.slice(0, 80)}"`)
  }
  return text.slice(0, 40)
}

function nodeWorld(): TrackerServerWorld {
  return {
    clock: new NodeClock(),
    timers: new NodeTimers(),
    random: new NodeRandom(),
    udp: new NodeUdp(UDP_BUFFER_BYTES),
    httpServer: new NodeHttpServer(),
  }
}
