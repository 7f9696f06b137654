import type { LibtorrentErrorCode } from '../errors/libtorrentError.ts'
import type { Settings } from '../settings/settings.ts'
import { surplusConnections } from './connectionShares.ts'

/** A torrent, as far as its connections are counted. */
export interface LimitedTorrent {
  readonly numPeers: number
  /** Disconnects the `count` least useful peers. */
  disconnectPeers(count: number, code: LibtorrentErrorCode): void
  /** Disconnects the peer with the lowest priority (BEP 40). */
  disconnectLowestRanking(code: LibtorrentErrorCode): void
}

export interface ConnectionLimitHost {
  readonly settings: Readonly<Pick<Settings, 'connectionsLimit' | 'connectionsSlack'>>
  connectedTorrents(): Iterable<LimitedTorrent>
}

/** Counts the connections over all torrents, and keeps to `connections_limit`. */
export class ConnectionLimit {
  /** Connections over all torrents, half-open ones included. */
  inUse = 0

  constructor(private readonly host: ConnectionLimitHost) {}

  /** Connections that may still be opened; below 0 when there are too many. */
  get free(): number {
    return this.host.settings.connectionsLimit - this.inUse
  }

  /**
   * At the limit somebody connected to a torrent that then has `numPeers` peers: the torrent with the most gives one up,
   * if it has more than that. False when the newcomer has to go.
   */
  makeRoom(numPeers: number): boolean {
    if (this.host.settings.connectionsSlack === 0) return false
    let most: LimitedTorrent | null = null
    for (const torrent of this.host.connectedTorrents()) {
      if (most === null || torrent.numPeers > most.numPeers) most = torrent
    }
    if (most === null || most.numPeers <= numPeers) return false
    most.disconnectLowestRanking('tooManyConnections')
    return this.free > 0
  }

  /** The limit may have been lowered: torrents with many peers give some up. */
  enforce(): void {
    if (this.free >= 0) return
    const torrents = [...this.host.connectedTorrents()]
    const counts = torrents.map(({ numPeers }) => numPeers)
    surplusConnections(counts, this.host.settings.connectionsLimit).forEach((count, i) => {
      if (count > 0) torrents[i].disconnectPeers(count, 'tooManyConnections')
    })
  }
}
