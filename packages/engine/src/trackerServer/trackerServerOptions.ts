import type { Sha1Hash, Sha256Hash } from '../util/digest.ts'
import type { Seconds } from '../util/flavored.ts'

/** Whose word is taken for the address they give themselves (`ip` of an announce). */
export type IpParameter = 'ignore' | 'local' | 'all'

/** Options of a `TrackerServer`. */
export interface TrackerServerOptions {
  /** Port for all protocols, TCP and UDP, 0 to 65535; 0: any that is free for all. Default 6969. */
  readonly port?: number
  /**
   * Addresses to listen on, without names. Default all, of IPv4 and IPv6; then a family that the machine does not have
   * is left out.
   */
  readonly hosts?: readonly string[]
  /** Serve HTTP (BEP 3). Default true. */
  readonly http?: boolean
  /** Serve UDP (BEP 15). Default true. */
  readonly udp?: boolean
  /**
   * Introduce WebRTC peers by WebSocket, at the port of HTTP, as WebTorrent's trackers do: this is how browsers meet.
   * Takes the package `ws`. Default: if that is installed, and HTTP is served; with true it is an error when it is not.
   */
  readonly ws?: boolean
  /** Time between two announces of a peer, at least 1. Default 1800. */
  readonly interval?: Seconds
  /**
   * The same by WebSocket, where peers are introduced to one another only when they announce. Default 120, at most
   * `interval`.
   */
  readonly webInterval?: Seconds
  /** Earliest next announce for want of peers, at most `interval`. Default 60. */
  readonly minInterval?: Seconds
  /** A peer that was silent for so long is forgotten. Default one and a half times `interval`, and at least a minute more. */
  readonly peerTimeout?: Seconds
  /** A torrent nobody announced for so long is forgotten. Default 24 hours. */
  readonly torrentTimeout?: Seconds
  /** Peers in an answer when none are asked for by number. Default 50. */
  readonly defaultNumWant?: number
  /** Peers in an answer at most, 0 to 1000. Default 200. */
  readonly maxNumWant?: number
  /** Torrents at most; one more pushes out the one that was silent longest. Default 100,000. */
  readonly maxTorrents?: number
  /** Peers at most, of all torrents, for each of IPv4 and IPv6; about 70 bytes each. Default 1,000,000. */
  readonly maxPeers?: number
  /** Default 10,000. */
  readonly maxPeersPerTorrent?: number
  /** Announces and scrapes a second of one address (of IPv6: one /64) on average; 0: no limit. Default 50. */
  readonly requestsPerSecond?: number
  /** Announces and scrapes of one address at once. Default 2000: a client with that many torrents starts. */
  readonly requestBurst?: number
  /** Info-hashes (text: hexadecimal) of the only torrents to serve; of version 2 the first 20 bytes. Default all. */
  readonly allowed?: Iterable<Sha1Hash | Sha256Hash | string>
  /**
   * Whose `ip` parameter counts: nobody's, that of peers on this machine and its networks, which are behind the same NAT
   * as the tracker, or everybody's, which lets strangers send the swarm to others. Default `ignore`.
   */
  readonly ipParameter?: IpParameter
  /** HTTP connections at once. Default 2000. */
  readonly maxConnections?: number
  /** WebSockets at once. Default 10,000. */
  readonly maxWebClients?: number
  /** HTTP connections and WebSockets of one address (of IPv6: one /64) that is not this machine. Default 100. */
  readonly maxConnectionsPerIp?: number
  /**
   * There is a web server on this machine before the tracker, such as one that makes `wss:` of `ws:`: whoever asks by HTTP
   * or WebSocket from this machine has the address that comes last in its `X-Forwarded-For`. The web server must set that
   * header, and limit connections itself. Default false.
   */
  readonly trustProxy?: boolean
}

/** Torrents asked about in one scrape (BEP 15: what fits into a packet). */
export const MAX_SCRAPE = 74

const HOUR = 3600

/** What `TrackerCore` needs of the options, complete. */
export interface TrackerRules {
  readonly interval: Seconds
  readonly webInterval: Seconds
  readonly minInterval: Seconds
  readonly peerTimeout: Seconds
  readonly torrentTimeout: Seconds
  readonly defaultNumWant: number
  readonly maxNumWant: number
  readonly maxTorrents: number
  readonly maxPeers: number
  readonly maxPeersPerTorrent: number
  readonly requestsPerSecond: number
  readonly requestBurst: number
  readonly ipParameter: IpParameter
}

/** The options with their defaults. @throws RangeError for one that makes no sense */
export function trackerRules(options: TrackerServerOptions): TrackerRules {
  const interval = within('interval', options.interval ?? 1800, 1, 0x7fff_ffff)
  return {
    interval,
    webInterval: within('webInterval', options.webInterval ?? Math.min(120, interval), 1, 0x7fff_ffff),
    minInterval: within('minInterval', options.minInterval ?? Math.min(60, interval), 0, interval),
    peerTimeout: within('peerTimeout', options.peerTimeout ?? Math.max(interval * 1.5, interval + 60), 1, Infinity),
    torrentTimeout: within('torrentTimeout', options.torrentTimeout ?? 24 * HOUR, 1, Infinity),
    maxNumWant: within('maxNumWant', options.maxNumWant ?? 200, 0, 1000),
    defaultNumWant: within('defaultNumWant', options.defaultNumWant ?? 50, 0, 1000),
    maxTorrents: within('maxTorrents', options.maxTorrents ?? 100_000, 1, 2 ** 26),
    maxPeers: within('maxPeers', options.maxPeers ?? 1_000_000, 1, 2 ** 26),
    maxPeersPerTorrent: within('maxPeersPerTorrent', options.maxPeersPerTorrent ?? 10_000, 1, 2 ** 26),
    requestsPerSecond: within('requestsPerSecond', options.requestsPerSecond ?? 50, 0, Infinity),
    requestBurst: within('requestBurst', options.requestBurst ?? 2000, 1, 2 ** 24),
    ipParameter: options.ipParameter ?? 'ignore',
  }
}

function within(name: string, value: number, least: number, most: number): number {
  if (value >= least && value <= most) return value
  throw new RangeError(`tracker option ${name} is ${value}; it must be from ${least} to ${most}`)
}
