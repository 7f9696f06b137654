import type { Clock, Timers } from './clock.ts'
import type { HttpClient } from './http.ts'
import type { LocalNetwork } from './localNetwork.ts'
import type { Random } from './random.ts'
import type { Resolver } from './resolver.ts'
import type { Tcp } from './tcp.ts'
import type { Udp } from './udp.ts'
import type { XmlReader } from './xml.ts'

/** Everything the engine knows of the world. `node/` implements it for real, `sim/` in virtual time. */
export interface Platform {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly tcp: Tcp
  readonly udp: Udp
  readonly resolver: Resolver
  readonly http: HttpClient
  readonly localNetwork: LocalNetwork
  readonly xml: XmlReader
}
