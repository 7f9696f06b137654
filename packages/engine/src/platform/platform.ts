import type { Clock, Timers } from './clock.ts'
import type { HttpClient } from './http.ts'
import type { HttpStreams } from './httpStream.ts'
import type { LocalNetwork } from './localNetwork.ts'
import type { Random } from './random.ts'
import type { Resolver } from './resolver.ts'
import type { Tcp } from './tcp.ts'
import type { Tls } from './tls.ts'
import type { Udp } from './udp.ts'
import type { WebRtc } from './webRtc.ts'
import type { XmlReader } from './xml.ts'

/** Everything the engine knows of the world. `node/` implements it for real, `sim/` in virtual time. */
export interface Platform {
  /** What time it is. */
  readonly clock: Clock
  /** To be called later. */
  readonly timers: Timers
  /** Chance. */
  readonly random: Random
  /** Connections to peers, and sockets to listen on. */
  readonly tcp: Tcp
  /** Encryption of such connections, for SSL torrents. */
  readonly tls: Tls
  /** UDP sockets, for trackers. */
  readonly udp: Udp
  /** Addresses of host names. */
  readonly resolver: Resolver
  /** Requests to HTTP trackers. */
  readonly http: HttpClient
  /** Requests to web seeds. */
  readonly httpStreams: HttpStreams
  /** Interfaces, routes and multicast: what finding routers and neighbours needs. */
  readonly localNetwork: LocalNetwork
  /** Reads what routers say of themselves. */
  readonly xml: XmlReader
  /** WebSockets and WebRTC. Left out: there are none. */
  readonly webRtc?: WebRtc
}
