import type { Seconds } from '../util/flavored.ts'

/** What port mapping can be told, under the names of the settings table. Read anew each time: they may change. */
export interface PortMapperSettings {
  /** Talk only to the UPnP device that is this machine's default gateway. */
  readonly upnpIgnoreNonrouters: boolean
  /** How long a UPnP router keeps a mapping that is not renewed; 0: for ever. */
  readonly upnpLeaseDuration: Seconds
  /** The same for NAT-PMP and PCP; 0 or less: an hour. */
  readonly natpmpLeaseDuration: Seconds
  /** Address of the NAT-PMP or PCP router; empty: the default gateway. */
  readonly natpmpGateway: string
  /** Shown in the router's list of UPnP mappings: `user_agent`. */
  readonly userAgent: string
  /** No description. Default false. */
  readonly anonymousMode?: boolean
}

/** libtorrent's defaults (0.15.5 to 2.1). */
export const DEFAULT_PORT_MAPPER_SETTINGS: PortMapperSettings = {
  upnpIgnoreNonrouters: false,
  upnpLeaseDuration: 3600,
  natpmpLeaseDuration: 3600,
  natpmpGateway: '',
  userAgent: 'libtorrent-ts',
}
