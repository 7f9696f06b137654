import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Clock, Timers } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import type { Resolver } from '../platform/resolver.ts'
import type { Stream, Tcp } from '../platform/tcp.ts'
import type { TunnelOptions } from './samCreate.ts'

/** The settings I2P goes by, under the names of the settings table. */
export interface I2pSettings extends TunnelOptions {
  readonly i2pHostname: string
  readonly i2pPort: number
}

/** What I2P needs of the session. */
export interface I2pHost {
  /** The way to the bridge, whatever other proxies there are. */
  readonly tcp: Pick<Tcp, 'connect'>
  readonly resolver: Resolver
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly settings: Readonly<I2pSettings>
  /** Somebody connected to us; whoever gets the stream owns it, and sets its handler before this returns. */
  onI2pStream(stream: Stream): void
  /** There is a session, and we have a new destination. */
  onI2pReady(): void
  /** The bridge cannot be reached, does not do what it is asked for, or has ended the session. */
  onI2pError(error: LibtorrentError): void
}
