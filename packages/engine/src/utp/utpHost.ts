import type { Endpoint } from '../address/endpoint.ts'
import type { Clock, Timers } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import type { Stream } from '../platform/tcp.ts'
import type { FaultReport } from '../util/guarded.ts'
import type { UtpSettings } from './utpSettings.ts'

/** What uTP on one UDP socket needs of its owner. */
export interface UtpHost {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  /** Read anew each time. */
  readonly settings: Readonly<UtpSettings>
  /** What the UDP socket is bound to: `Stream.local`. */
  readonly local: Endpoint
  /** Sends a copy of `packet`; it may get lost. */
  send(packet: Uint8Array, to: Endpoint): void
  /**
   * Somebody connected, and gets our packets, as the first packet after the handshake has shown: who connects must speak
   * first, as in BitTorrent it does, or else that packet may be lost and nobody repeats it. `setHandler` must be called
   * before this returns, or `destroy`.
   */
  onUtpAccept(stream: Stream): void
  /** Our own code, or that of a stream's owner, threw. The connection was ended. */
  onFault: FaultReport
}
