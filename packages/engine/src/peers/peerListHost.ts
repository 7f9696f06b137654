import type { Endpoint } from '../address/endpoint.ts'
import type { LibtorrentErrorCode } from '../errors/libtorrentError.ts'
import type { Random } from '../platform/random.ts'
import type { Settings } from '../settings/settings.ts'
import type { ConnectionEnds } from './duplicateConnections.ts'
import type { TorrentPeer } from './torrentPeer.ts'

/** What the list needs of a connection. */
export interface ListedConnection extends ConnectionEnds {
  /** It has failed and is closing. */
  readonly hasFailed: boolean
  disconnect(code: LibtorrentErrorCode): void
}

/** The settings the list goes by. */
export type PeerListSettings = Readonly<
  Pick<
    Settings,
    | 'maxPeerlistSize'
    | 'maxPausedPeerlistSize'
    | 'minReconnectTime'
    | 'maxFailcount'
    | 'allowMultipleConnectionsPerIp'
    | 'noConnectPrivilegedPorts'
  >
>

/** What the peer list asks of its torrent. */
export interface PeerListHost<C extends ListedConnection> {
  readonly settings: PeerListSettings
  readonly random: Random
  /** Ours, 20 bytes. */
  readonly peerId: Uint8Array
  /** Every wanted piece is there: seeds are of no use any more. */
  readonly isFinished: boolean
  readonly isPaused: boolean
  /** Our address and listen port as peers of that family see them; null while unknown. */
  externalEndpoint(isV6: boolean): Endpoint | null
  /** `peer` has left the list: nothing may refer to it any more. */
  onPeerErased(peer: TorrentPeer<C>): void
}

export interface ClosedConnection {
  /** The attempt or the connection failed: counts against the peer. */
  readonly failed: boolean
  /** It may come back at once, as `allowFastReconnect` said; `lastConnected` stays as it is. */
  readonly fastReconnect?: boolean
  /** Payload bytes in all, those of earlier connections that were handed to this one included. */
  readonly uploaded?: number
  readonly downloaded?: number
}
