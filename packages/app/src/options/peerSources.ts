import type { Settings } from 'libtorrent-ts'
import { type HostAndPort, hostAndPortText } from './hostAndPort.ts'

/** Where peers may come from besides trackers and `--peer`, and how they reach us; options as commander gives them. */
export interface PeerSourceOptions {
  readonly dht: boolean
  readonly dhtRouter?: readonly HostAndPort[]
  readonly lsd: boolean
  readonly upnp: boolean
  readonly natpmp: boolean
}

export function peerSourceSettings(options: PeerSourceOptions): Partial<Settings> {
  return {
    enableDht: options.dht,
    enableLsd: options.lsd,
    enableUpnp: options.upnp,
    enableNatpmp: options.natpmp,
    ...(options.dhtRouter !== undefined && { dhtBootstrapNodes: options.dhtRouter.map(hostAndPortText).join(',') }),
  }
}
