import { addressToBytes } from '../address/addressBytes.ts'
import { type Endpoint, sameEndpoint } from '../address/endpoint.ts'
import { LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type { Clock } from '../platform/clock.ts'
import { type ProxyRoute, sameRoute } from '../platform/proxyRoute.ts'
import type { Udp, UdpHandler, UdpSocket } from '../platform/udp.ts'
import { isProxyTarget } from './makeHandshake.ts'
import { notCarriedError } from './notCarried.ts'
import type { ProxyStreamHost } from './proxyStream.ts'
import { networkFailure } from './socksReplies.ts'
import { UdpAssociation } from './udpAssociation.ts'
import { unwrapPacket, wrapPacket } from './udpHeader.ts'

/** Packets kept while the relay is being asked for; beyond, they are lost. */
const MAX_WAITING = 64
const LARGEST_PACKET = 65_507
/** Names that were sent to and may send back; beyond, the oldest is forgotten. */
const MAX_NAMES = 100

/** How packets go: as they are, not at all, or through a SOCKS5 proxy. */
export type UdpWay = 'direct' | 'never' | ProxyRoute

export interface ProxiedUdpHost extends ProxyStreamHost {
  readonly udp: Udp
  readonly clock: Clock
  /** How packets go now; `update` is called when it is another. */
  readonly way: UdpWay
  /** Setting `socks5_udp_send_local_ep`. */
  readonly sendsLocal: boolean
  /** The proxy carries no UDP at the moment. */
  onProxyFailed(error: LibtorrentError, proxy: Endpoint): void
}

type FailedCallback = ((error: LibtorrentError) => void) | undefined

/**
 * UDP that goes through a SOCKS5 proxy when it has to, and nowhere when it cannot: what is sent goes to the proxy's relay
 * only, and only what comes from there is heard. The address of an endpoint sent to may be a host name then, which the
 * proxy looks up. Sockets stay as they are when the way changes.
 */
export class ProxiedUdp implements Udp {
  private readonly sockets = new Set<ProxiedSocket>()

  constructor(private readonly host: ProxiedUdpHost) {}

  bind(local: Endpoint, handler: UdpHandler, done: (result: UdpSocket | LibtorrentError) => void): void {
    const socket = new ProxiedSocket(this.host, handler, () => this.sockets.delete(socket))
    this.host.udp.bind(local, socket.receiver, (result) => {
      if (result instanceof LibtorrentError) return done(result)
      this.sockets.add(socket)
      socket.attach(result)
      done(socket)
    })
  }

  /** The way may be another. */
  update(): void {
    for (const socket of this.sockets) socket.update()
  }
}

interface WaitingPacket {
  readonly packet: Uint8Array
  readonly to: Endpoint
  readonly failed: FailedCallback
}

class ProxiedSocket implements UdpSocket {
  readonly receiver: UdpHandler
  private base: UdpSocket | null = null
  private way: UdpWay = 'never'
  private association: UdpAssociation | null = null
  private readonly waiting: WaitingPacket[] = []
  private readonly names = new Set<string>()
  private buffer: Uint8Array | null = null
  /** What was last seen to be an address: most packets go where the one before went. */
  private lastAddress: string | null = null

  constructor(
    private readonly host: ProxiedUdpHost,
    private readonly handler: UdpHandler,
    private readonly onClosed: () => void,
  ) {
    this.receiver = {
      onPacket: (packet, from) => this.onPacket(packet, from),
      onError: (error) => {
        this.close()
        handler.onError(error)
      },
    }
  }

  get local(): Endpoint {
    if (this.base === null) throw new Error('a socket has no address before it is bound')
    return this.base.local
  }

  attach(base: UdpSocket): void {
    this.base = base
    this.setWay(this.host.way)
  }

  update(): void {
    const { way } = this.host
    const isSame = typeof way === 'string' || typeof this.way === 'string' ? way === this.way : sameRoute(way, this.way)
    if (!isSame) this.setWay(way)
  }

  send(packet: Uint8Array, to: Endpoint, failed?: (error: LibtorrentError) => void): void {
    const { base, association } = this
    if (base === null) return
    if (this.way === 'direct') {
      if (to.address !== this.lastAddress) {
        if (addressToBytes(to.address) === null) return this.refuse(noLookup(), failed)
        this.lastAddress = to.address
      }
      return base.send(packet, to, failed)
    }
    if (association === null) return this.refuse(notCarriedError(), failed)
    if (association.failure !== null) return this.refuse(association.failure, failed)
    if (association.relay !== null) return this.relay(packet, to, failed)
    if (this.waiting.length < MAX_WAITING) this.waiting.push({ packet: new Uint8Array(packet), to, failed })
  }

  close(): void {
    const { base } = this
    if (base === null) return
    this.base = null
    this.endAssociation()
    this.waiting.length = 0
    base.close()
    this.onClosed()
  }

  private setWay(way: UdpWay): void {
    const { base, host } = this
    if (base === null) return
    this.way = way
    this.endAssociation()
    if (typeof way === 'string') return this.refuseWaiting(notCarriedError())
    const { tcp, resolver, timers, clock, sendsLocal } = host
    this.association = new UdpAssociation(
      {
        tcp,
        resolver,
        timers,
        clock,
        sendsLocal,
        local: base.local,
        onRelay: () => {
          for (const { packet, to, failed } of this.waiting.splice(0)) this.send(packet, to, failed)
        },
        onNoRelay: (error, proxy) => {
          host.onProxyFailed(error, proxy)
          this.refuseWaiting(error)
        },
      },
      way,
    )
    this.association.start()
  }

  private endAssociation(): void {
    this.association?.stop()
    this.association = null
    this.names.clear()
  }

  private relay(packet: Uint8Array, to: Endpoint, failed: FailedCallback): void {
    const { base, association } = this
    this.buffer ??= new Uint8Array(LARGEST_PACKET)
    const relay = association?.relay ?? null
    if (base === null || association === null || relay === null || to.port === 0) return
    const isName = to.address !== this.lastAddress && addressToBytes(to.address) === null
    if (isName && !isProxyTarget(to.address)) return this.refuse(noName(), failed)
    if (!isName) this.lastAddress = to.address
    const wrapped = wrapPacket(packet, { host: to.address, port: to.port }, this.buffer)
    if (wrapped === null) return
    if (!association.maySend()) return this.refuse(association.failure ?? notCarriedError(), failed)
    if (isName) this.remember(to.address)
    base.send(wrapped, relay, failed)
  }

  private remember(name: string): void {
    this.names.delete(name)
    if (this.names.size >= MAX_NAMES) this.names.delete(this.names.values().next().value as string)
    this.names.add(name)
  }

  private onPacket(packet: Uint8Array, from: Endpoint): void {
    if (this.base === null) return
    if (this.way === 'direct') return this.handler.onPacket(packet, from)
    const relay = this.association?.relay ?? null
    if (relay === null || !sameEndpoint(relay, from)) return
    const unwrapped = unwrapPacket(packet)
    if (unwrapped === null) return
    this.association?.heard()
    const { host, port } = unwrapped.from
    if (unwrapped.isName && !this.names.has(host)) return
    this.handler.onPacket(unwrapped.packet, { address: host, port })
  }

  private refuse(error: LibtorrentError, failed: FailedCallback): void {
    if (failed !== undefined) this.host.timers.after(0, () => this.base !== null && failed(error))
  }

  private refuseWaiting(error: LibtorrentError): void {
    for (const { failed } of this.waiting.splice(0)) this.refuse(error, failed)
  }
}

function noName(): LibtorrentError {
  return libtorrentError('invalidHostname', { operation: 'connect' })
}

function noLookup(): LibtorrentError {
  return networkFailure('ENOTFOUND', 3008, 'a name is looked up before anything is sent there', 'connect')
}
