import type { Endpoint } from '../address/endpoint.ts'
import type { Timers } from '../platform/clock.ts'
import type { Stream, StreamHandler, Tcp } from '../platform/tcp.ts'
import type { Tls } from '../platform/tls.ts'
import type { Settings } from '../settings/settings.ts'
import type { DialRequest } from '../torrent/torrentHost.ts'
import { OutgoingAddresses, type OutgoingAddressesHost } from './outgoingAddresses.ts'
import { OutgoingPorts } from './outgoingPorts.ts'
import { noWayOut, RefusedDial } from './refusedDial.ts'
import { IGNORE } from './refuseStream.ts'

export interface DiallerHost extends OutgoingAddressesHost {
  readonly timers: Timers
  readonly tcp: Tcp
  readonly tls: Tls
  readonly settings: Readonly<Settings>
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
    const { remote, tls, interfaces } = request
    // TLS goes over whatever there is, and tells `handler` when all of it stands.
    if (tls !== null) return this.host.tls.connect(this.open(remote, interfaces, IGNORE), tls, handler)
    return this.open(remote, interfaces, handler)
  }

  private open(remote: Endpoint, interfaces: readonly string[], handler: StreamHandler): Stream {
    const localAddress = this.addresses.choose(remote.address, interfaces)
    if (localAddress === null) return new RefusedDial(this.host.timers, remote, handler, noWayOut())
    return this.host.tcp.connect(remote, { localAddress, ...this.ports.next() }, handler)
  }
}
