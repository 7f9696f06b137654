import type { Stream, StreamHandler, Tcp } from '../platform/tcp.ts'
import type { Settings } from '../settings/settings.ts'
import type { DialRequest } from '../torrent/torrentHost.ts'
import { OutgoingPorts } from './outgoingPorts.ts'

export interface DiallerHost {
  /** Where connections to peers go through: the proxy, if there is one. */
  readonly peerTcp: Pick<Tcp, 'connect'>
  readonly settings: Readonly<Settings>
}

/** Opens connections to peers: decides by which transport, from which of our addresses, and through what. */
export class Dialler {
  private readonly ports: OutgoingPorts

  constructor(private readonly host: DiallerHost) {
    this.ports = new OutgoingPorts(host.settings)
  }

  /** Begins to connect; `handler.onConnected` or `onClosed` follows, later. */
  dial({ remote }: DialRequest, handler: StreamHandler): Stream {
    return this.host.peerTcp.connect(remote, this.ports.next(), handler)
  }
}
