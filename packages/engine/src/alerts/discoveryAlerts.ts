import type { LibtorrentError } from '../errors/libtorrentError.ts'
import { Alert, AlertCategory } from './alert.ts'
import { PeerAlert } from './peerAlerts.ts'

/** A peer on the local network has a torrent of ours. @see libtorrent `lsd_peer_alert` (1.0) */
export class LsdPeerAlert extends PeerAlert {
  static override readonly category = AlertCategory.peer
  readonly type = 'lsdPeer'

  override message(): string {
    return `${super.message()}: received peer from local service discovery`
  }
}

/** Local service discovery does not work on one of our addresses. @see libtorrent `lsd_error_alert` (1.2) */
export class LsdErrorAlert extends Alert {
  static override readonly category = AlertCategory.error
  readonly type = 'lsdError'
  /** Our address there. */
  readonly localAddress: string
  readonly error: LibtorrentError

  constructor(fields: { readonly localAddress: string; readonly error: LibtorrentError }) {
    super()
    this.localAddress = fields.localAddress
    this.error = fields.error
  }

  override message(): string {
    return `local service discovery on ${this.localAddress} failed: ${this.error.message}`
  }
}

/** How a port is mapped: the manual's `type`, and `map_type` of 1.0. */
export const PortmapType = { natpmp: 0, upnp: 1 } as const
export type PortmapType = (typeof PortmapType)[keyof typeof PortmapType]

const PORTMAP_NAMES = ['NAT-PMP', 'UPnP'] as const

/** A port could not be mapped, or is no longer. @see manual, portmap_error_alert */
export class PortmapErrorAlert extends Alert {
  static override readonly category = AlertCategory.portMapping | AlertCategory.error
  readonly type = 'portmapError'
  /** What `addPortMapping` returned. */
  readonly mapping: number
  readonly mapType: PortmapType
  readonly error: LibtorrentError

  constructor(fields: { readonly mapping: number; readonly mapType: PortmapType; readonly error: LibtorrentError }) {
    super()
    this.mapping = fields.mapping
    this.mapType = fields.mapType
    this.error = fields.error
  }

  override message(): string {
    return `could not map port using ${PORTMAP_NAMES[this.mapType]}: ${this.error.message}`
  }
}

/** A router forwards a port to us. @see manual, portmap_alert */
export class PortmapAlert extends Alert {
  static override readonly category = AlertCategory.portMapping
  readonly type = 'portmap'
  /** What `addPortMapping` returned. */
  readonly mapping: number
  /** The port outside. */
  readonly externalPort: number
  readonly mapType: PortmapType

  constructor(fields: { readonly mapping: number; readonly externalPort: number; readonly mapType: PortmapType }) {
    super()
    this.mapping = fields.mapping
    this.externalPort = fields.externalPort
    this.mapType = fields.mapType
  }

  override message(): string {
    return `successfully mapped port using ${PORTMAP_NAMES[this.mapType]}. external port: ${this.externalPort}`
  }
}

/** What passes between us and a router, for finding faults. @see manual, portmap_log_alert */
export class PortmapLogAlert extends Alert {
  static override readonly category = AlertCategory.portMapping
  readonly type = 'portmapLog'
  readonly mapType: PortmapType
  readonly msg: string

  constructor(fields: { readonly mapType: PortmapType; readonly msg: string }) {
    super()
    this.mapType = fields.mapType
    this.msg = fields.msg
  }

  override message(): string {
    return `${PORTMAP_NAMES[this.mapType]}: ${this.msg}`
  }
}
