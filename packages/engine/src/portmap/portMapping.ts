/** Which protocol's port is mapped; libtorrent's `protocol_type`. */
export type PortmapProtocol = 'tcp' | 'udp'

/** How a mapping was made: the field `type` of port mapping alerts (manual, portmap_alert). */
export const PortmapTransport = { natpmp: 0, upnp: 1 } as const
export type PortmapTransport = (typeof PortmapTransport)[keyof typeof PortmapTransport]

/** Mappings at once; libtorrent's `max_global_mappings`. */
export const MAX_MAPPINGS = 50

/** A port that is to be reachable from outside. */
export interface PortMapping {
  /** From 0; refers to it in events and in `deleteMapping`. */
  readonly index: number
  readonly protocol: PortmapProtocol
  /** The port wanted outside: a hint, the router may give another. */
  readonly externalPort: number
  /** The port of this machine. */
  readonly localPort: number
  /** Map it only by the router of the interface with this address; null: by all routers. */
  readonly localAddress: string | null
  /** Map it only in this way; null: in every way that is started. */
  readonly via: PortmapTransport | null
}
