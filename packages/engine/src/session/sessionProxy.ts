import type { Endpoint } from '../address/endpoint.ts'
import type { AlertSink } from '../alerts/alertSink.ts'
import { Socks5Alert } from '../alerts/sessionAlerts.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { HttpStreams } from '../platform/httpStream.ts'
import type { Platform } from '../platform/platform.ts'
import { type ProxyRoute, sameRoute } from '../platform/proxyRoute.ts'
import type { Resolver } from '../platform/resolver.ts'
import type { Tcp } from '../platform/tcp.ts'
import type { Udp } from '../platform/udp.ts'
import { hidingResolver } from '../proxy/hidingResolver.ts'
import { proxiedHttpClient, proxiedHttpStreams } from '../proxy/proxiedHttp.ts'
import { proxiedTcp } from '../proxy/proxiedTcp.ts'
import { ProxiedUdp, type UdpWay } from '../proxy/proxiedUdp.ts'
import { hidesNames, ProxyPolicy, type TcpWay } from '../proxy/proxyPolicy.ts'
import type { Settings } from '../settings/settings.ts'
import type { TrackerClientHost } from '../tracker/trackerClient.ts'
import type { Millis } from '../util/flavored.ts'

export interface SessionProxyHost {
  readonly platform: Platform
  readonly settings: Readonly<Settings>
  readonly alerts: AlertSink
}

/** Peers that fail at the proxy do so by the dozen: the same reason is told once in this time. */
const SAME_NEWS_MS: Millis = 60_000

/**
 * The session's connections to the world, by what they are for: each goes through the proxy, past it or nowhere, as
 * `ProxyPolicy` says. Whoever makes connections in the session takes its part of the platform from here.
 */
export class SessionProxy {
  readonly policy: ProxyPolicy
  /** To peers. */
  readonly peerTcp: Pick<Tcp, 'connect'>
  /** To web seeds. */
  readonly webSeeds: HttpStreams
  /** To trackers. */
  readonly trackers: TrackerClientHost['platform']
  /** For the DHT. */
  readonly dht: { readonly udp: Udp; readonly resolver: Resolver }
  private readonly udps: readonly ProxiedUdp[]
  private lastNews: { readonly code: string; readonly at: Millis } | null = null
  private wasPeers: TcpWay
  private wasReachable: boolean

  constructor(private readonly host: SessionProxyHost) {
    const { platform, settings } = host
    const { tcp, resolver, timers } = platform
    const policy = new ProxyPolicy(settings)
    this.policy = policy
    this.wasPeers = policy.peers
    this.wasReachable = policy.isReachable
    const report = (error: LibtorrentError, proxy: Endpoint) => this.onProxyFailed(error, proxy)
    this.peerTcp = proxiedTcp({ tcp, resolver, timers, onProxyFailed: report }, () => policy.peers)
    this.webSeeds = proxiedHttpStreams(platform.httpStreams, { timers, resolver, way: () => policy.webSeeds })
    const trackerUdp = this.udp(() => policy.udpTrackers)
    const dhtUdp = this.udp(() => policy.dht)
    this.udps = [trackerUdp, dhtUdp]
    this.trackers = {
      ...platform,
      udp: trackerUdp,
      http: proxiedHttpClient(platform.http, { timers, resolver, way: () => policy.trackers }),
      resolver: hidingResolver(resolver, timers, () => hidesNames(policy.trackers)),
    }
    this.dht = { udp: dhtUdp, resolver: hidingResolver(resolver, timers, () => hidesNames(policy.dht)) }
  }

  /** The settings are others. Tells what that means for what is open already. */
  onSettingsChanged(): { readonly peersMove: boolean; readonly reachabilityChanged: boolean } {
    const { policy, wasPeers, wasReachable } = this
    for (const udp of this.udps) udp.update()
    this.wasPeers = policy.peers
    this.wasReachable = policy.isReachable
    return {
      peersMove: !sameWay(wasPeers, this.wasPeers),
      reachabilityChanged: wasReachable !== this.wasReachable,
    }
  }

  private udp(way: () => UdpWay): ProxiedUdp {
    const { platform, settings } = this.host
    const { udp, tcp, resolver, timers, clock } = platform
    return new ProxiedUdp({
      udp,
      tcp,
      resolver,
      timers,
      clock,
      get way() {
        return way()
      },
      get sendsLocal() {
        return settings.socks5UdpSendLocalEp
      },
      onProxyFailed: (error, proxy) => this.onProxyFailed(error, proxy),
    })
  }

  private onProxyFailed(error: LibtorrentError, ip: Endpoint): void {
    const { alerts, platform } = this.host
    const now = platform.clock.now()
    const { lastNews } = this
    if (lastNews?.code === error.code && now - lastNews.at < SAME_NEWS_MS) return
    this.lastNews = { code: error.code, at: now }
    if (alerts.wants(Socks5Alert.category)) alerts.post(new Socks5Alert({ error, ip }))
  }
}

function sameWay(a: TcpWay, b: TcpWay): boolean {
  return typeof a === 'string' || typeof b === 'string' ? a === b : sameRoute(a, b as ProxyRoute)
}
