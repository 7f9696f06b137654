import type { ProxyRoute } from '../platform/proxyRoute.ts'
import { ProxyType } from '../settings/proxyType.ts'
import type { Settings } from '../settings/settings.ts'
import type { UdpWay } from './proxiedUdp.ts'

/** How connections of a kind are made: as if there were no proxy, not at all, or through one. */
export type TcpWay = 'direct' | 'never' | ProxyRoute

/** The settings that say what goes through the proxy. */
export type ProxyPolicySettings = Readonly<
  Pick<
    Settings,
    | 'proxyType'
    | 'proxyHostname'
    | 'proxyPort'
    | 'proxyUsername'
    | 'proxyPassword'
    | 'proxyHostnames'
    | 'proxyPeerConnections'
    | 'proxyTrackerConnections'
    | 'proxySendHostInConnect'
    | 'forceProxy'
    | 'anonymousMode'
  >
>

/** The proxy of the settings; null when there is none. */
export function proxyRouteOf(settings: ProxyPolicySettings): ProxyRoute | null {
  const { proxyType, proxyUsername: username, proxyPassword: password, forceProxy, anonymousMode } = settings
  if (proxyType === ProxyType.none) return null
  const isHttp = proxyType === ProxyType.http || proxyType === ProxyType.httpPw
  // A login is offered by the kinds that have one, and only when there is a name.
  const hasLogin = proxyType !== ProxyType.socks5 && proxyType !== ProxyType.http && username !== ''
  return {
    kind: isHttp ? 'http' : proxyType === ProxyType.socks4 ? 'socks4' : 'socks5',
    host: settings.proxyHostname,
    port: settings.proxyPort,
    login: hasLogin ? { username, password } : null,
    // What is looked up here leaves past the proxy.
    resolvesNames: settings.proxyHostnames || forceProxy || anonymousMode,
    tellsName: settings.proxySendHostInConnect,
  }
}

/**
 * What goes through the proxy, what past it, and what not at all. Decides only; reads the settings each time.
 *
 * What is to go through the proxy never goes past it: when the proxy cannot carry it - UDP through all but SOCKS5 - it
 * is not sent. `force_proxy`, and `anonymous_mode` with a proxy, forbid everything else as well.
 */
export class ProxyPolicy {
  constructor(private readonly settings: ProxyPolicySettings) {}

  /** The proxy; null when there is none. */
  get route(): ProxyRoute | null {
    return proxyRouteOf(this.settings)
  }

  /** Nothing may go past the proxy. */
  get isForced(): boolean {
    const { forceProxy, anonymousMode, proxyType } = this.settings
    return forceProxy || (anonymousMode && proxyType !== ProxyType.none)
  }

  /** Peers. */
  get peers(): TcpWay {
    return this.tcp(this.settings.proxyPeerConnections)
  }

  /** Web seeds carry content as peers do, and follow the same setting, as in libtorrent. */
  get webSeeds(): TcpWay {
    return this.peers
  }

  /** HTTP trackers. */
  get trackers(): TcpWay {
    return this.tcp(this.settings.proxyTrackerConnections)
  }

  /** UDP trackers. */
  get udpTrackers(): UdpWay {
    return this.udp(this.settings.proxyTrackerConnections)
  }

  /** The DHT goes through the proxy if there is one, whatever the other settings say (libtorrent). */
  get dht(): UdpWay {
    return this.udp(true)
  }

  /** Whether peers may be spoken to by uTP, on the UDP sockets of the DHT: both have to go the same way. */
  get carriesUtp(): boolean {
    const { peers, dht } = this
    return peers === 'direct' ? dht === 'direct' : peers !== 'never' && peers.kind === 'socks5'
  }

  /** Whether others can reach us, so that listening, local discovery and port mapping make sense. */
  get isReachable(): boolean {
    return this.peers === 'direct'
  }

  private tcp(isProxied: boolean): TcpWay {
    const { route } = this
    if (route !== null && isProxied) return route
    return this.isForced ? 'never' : 'direct'
  }

  private udp(isProxied: boolean): UdpWay {
    const way = this.tcp(isProxied)
    return typeof way === 'string' || way.kind === 'socks5' ? way : 'never'
  }
}

/** Whether names are kept from our own name server for connections made this way. */
export function hidesNames(way: TcpWay): boolean {
  return way === 'never' || (way !== 'direct' && way.resolvesNames)
}
