import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Platform } from '../platform/platform.ts'
import type { PortMapperSettings } from './portMapperSettings.ts'
import type { PortMapping, PortmapTransport } from './portMapping.ts'

/** What port mapping needs of the world. */
export type PortmapPlatform = Pick<Platform, 'clock' | 'timers' | 'random' | 'udp' | 'http' | 'localNetwork' | 'xml'>

/** A port was mapped, or its place outside changed; renewals that change nothing are not reported. */
export interface PortMapped {
  readonly mapping: PortMapping
  readonly transport: PortmapTransport
  readonly externalPort: number
  /** The router's address outside; null while unknown. */
  readonly externalAddress: string | null
  /** Our address the router forwards to. */
  readonly localAddress: string
}

/** A port could not be mapped, or no longer is. It is tried again later without further notice. */
export interface PortmapFailed {
  readonly mapping: PortMapping
  readonly transport: PortmapTransport
  readonly error: LibtorrentError
  /** Of the interface it happened on; null: on all of them. */
  readonly localAddress: string | null
}

/** What the session gives the port mapper, and hears of it: later, but for log lines, never from inside a call to it. */
export interface PortMapperHost {
  readonly platform: PortmapPlatform
  readonly settings: Readonly<PortMapperSettings>
  /** For `portmap_alert`. */
  onPortMapped(event: PortMapped): void
  /** For `portmap_error_alert`. */
  onPortmapError(event: PortmapFailed): void
  /** Whether anybody wants `onPortmapLog`. */
  wantsPortmapLog(): boolean
  /** For `portmap_log_alert`: one printable line of bounded length. */
  onPortmapLog(transport: PortmapTransport, message: string): void
  /** A router told its address outside; it may be wrong, or itself private. For the vote on our external address. */
  onExternalAddress(address: string, router: string, transport: PortmapTransport): void
}

/** The same for one of the two ways of mapping. */
export interface MapperHost {
  readonly platform: PortmapPlatform
  readonly settings: Readonly<PortMapperSettings>
  /** The mappings to make, in order of their index. */
  mappings(): Iterable<PortMapping>
  mapped(mapping: PortMapping, externalPort: number, externalAddress: string | null, localAddress: string): void
  failed(mapping: PortMapping, error: LibtorrentError, localAddress: string | null): void
  /** `message` is only called when somebody listens. */
  log(message: () => string): void
  externalAddress(address: string, router: string): void
}
