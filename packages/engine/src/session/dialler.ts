import type { Endpoint } from '../address/endpoint.ts'
import { isI2pName } from '../address/i2pAddress.ts'
import { type LibtorrentError, systemError } from '../errors/libtorrentError.ts'
import { EncryptedStream, type EncryptedStreamHost } from '../mse/encryptedStream.ts'
import type { Timers } from '../platform/clock.ts'
import { SocketType } from '../platform/socketType.ts'
import type { Stream, StreamHandler, Tcp } from '../platform/tcp.ts'
import type { Tls } from '../platform/tls.ts'
import { FailedStream } from '../proxy/failedStream.ts'
import type { Settings } from '../settings/settings.ts'
import type { DialRequest } from '../torrent/torrentHost.ts'
import { OutgoingAddresses, type OutgoingAddressesHost } from './outgoingAddresses.ts'
import { OutgoingPorts } from './outgoingPorts.ts'
import { IGNORE } from './refuseStream.ts'
import type { UtpRoute } from './utpService.ts'

export interface DiallerHost extends EncryptedStreamHost, OutgoingAddressesHost {
  readonly timers: Timers
  /** Where connections to peers go through: the proxy, if there is one. */
  readonly peerTcp: Pick<Tcp, 'connect'>
  /** Peers may be spoken to by uTP. */
  readonly carriesUtp: boolean
  readonly tls: Tls
  /** The way to peers in I2P. */
  readonly i2p: { connect(address: string, handler: StreamHandler): Stream }
  readonly settings: Readonly<Settings>
  readonly utp: {
    /** Null when there is no socket from which `remote` could be reached. */
    connect(route: UtpRoute, handler: StreamHandler): Stream | null
  }
}

/** Opens connections to peers: decides by which transport, from which of our addresses, and through what. */
export class Dialler {
  private readonly ports: OutgoingPorts
  private readonly addresses: OutgoingAddresses

  constructor(private readonly host: DiallerHost) {
    this.ports = new OutgoingPorts(host.settings)
    this.addresses = new OutgoingAddresses(host)
  }

  /** Begins to connect; `handler.onConnected` or `onClosed` follows, later. */
  dial(request: DialRequest, handler: StreamHandler): Stream {
    const { infoHash, isEncrypted, tls } = request
    // Encrypted from end to end as it is, and nothing of ours is to show there.
    if (isI2pName(request.remote.address)) return this.host.i2p.connect(request.remote.address, handler)
    // TLS goes over whatever there is, and tells `handler` when all of it stands. It leaves nothing for MSE to hide.
    if (tls !== null) return this.host.tls.connect(this.open(request, IGNORE), tls, handler)
    if (!isEncrypted) return this.open(request, handler)
    return EncryptedStream.connecting(this.host, infoHash, handler, (inner) => this.open(request, inner))
  }

  private open({ remote, interfaces, transport, tls }: DialRequest, handler: StreamHandler): Stream {
    const localAddress = this.addresses.choose(remote.address, interfaces)
    if (localAddress === null) return this.refuse(remote, handler)
    const mayUseUtp = transport === 'utp' && this.host.carriesUtp
    const utp = mayUseUtp ? this.host.utp.connect({ remote, localAddress, ssl: tls !== null }, handler) : null
    if (utp !== null) return utp
    // That uTP is not to be had here makes TCP no more welcome than it was.
    if (!this.host.settings.enableOutgoingTcp) return this.refuse(remote, handler)
    return this.host.peerTcp.connect(remote, { localAddress, ...this.ports.next() }, handler)
  }

  private refuse(remote: Endpoint, handler: StreamHandler): Stream {
    return new FailedStream(this.host.timers, SocketType.tcp, remote, noWayOut(), handler)
  }
}

/** None of the addresses we may connect from can serve. */
function noWayOut(): LibtorrentError {
  return systemError(
    { code: 'EADDRNOTAVAIL', errno: 99, message: 'none of the addresses to connect from can reach it' },
    { operation: 'connect' },
  )
}
