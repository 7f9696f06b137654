import type { Endpoint } from '../address/endpoint.ts'
import type { Stream, StreamHandler, Tcp } from '../platform/tcp.ts'
import type { Tls } from '../platform/tls.ts'
import type { Settings } from '../settings/settings.ts'
import type { DialRequest } from '../torrent/torrentHost.ts'
import { OutgoingPorts } from './outgoingPorts.ts'
import { IGNORE } from './refuseStream.ts'

export interface DiallerHost {
  readonly tcp: Tcp
  readonly tls: Tls
  readonly settings: Readonly<Settings>
}

/** Opens connections to peers: decides by which transport, from which of our addresses, and through what. */
export class Dialler {
  private readonly ports: OutgoingPorts

  constructor(private readonly host: DiallerHost) {
    this.ports = new OutgoingPorts(host.settings)
  }

  /** Begins to connect; `handler.onConnected` or `onClosed` follows, later. */
  dial({ remote, tls }: DialRequest, handler: StreamHandler): Stream {
    // TLS goes over whatever there is, and tells `handler` when all of it stands.
    return tls === null ? this.open(remote, handler) : this.host.tls.connect(this.open(remote, IGNORE), tls, handler)
  }

  private open(remote: Endpoint, handler: StreamHandler): Stream {
    return this.host.tcp.connect(remote, this.ports.next(), handler)
  }
}
