import type { Endpoint } from '../address/endpoint.ts'
import type { Stream, StreamHandler, Tcp } from '../platform/tcp.ts'
import type { Settings } from '../settings/settings.ts'
import type { DialRequest } from '../torrent/torrentHost.ts'
import { OutgoingPorts } from './outgoingPorts.ts'

export interface DiallerHost {
  readonly tcp: Tcp
  readonly settings: Readonly<Settings>
  readonly utp: {
    /** Null when there is no socket from which `remote` could be reached. */
    connect(remote: Endpoint, handler: StreamHandler): Stream | null
  }
}

/** Opens connections to peers: decides by which transport, from which of our addresses, and through what. */
export class Dialler {
  private readonly ports: OutgoingPorts

  constructor(private readonly host: DiallerHost) {
    this.ports = new OutgoingPorts(host.settings)
  }

  /** Begins to connect; `handler.onConnected` or `onClosed` follows, later. */
  dial({ remote, transport }: DialRequest, handler: StreamHandler): Stream {
    const utp = transport === 'utp' ? this.host.utp.connect(remote, handler) : null
    return utp ?? this.host.tcp.connect(remote, this.ports.next(), handler)
  }
}
