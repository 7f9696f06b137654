import type { Settings } from '../settings/settings.ts'
import type { Millis } from '../util/flavored.ts'

/** A torrent, as far as its connections are counted. */
export interface TurnoverTorrent {
  readonly numPeers: number
  /** `max_connections` of the torrent. */
  readonly maxConnections: number
  /** Peers that could take the place of those disconnected. */
  readonly connectCandidates: number
  /** Disconnects the `count` least useful peers. */
  disconnectPeers(count: number, code: 'optimisticDisconnect'): void
}

export interface PeerTurnoverHost {
  readonly settings: Readonly<
    Pick<Settings, 'connectionsLimit' | 'peerTurnover' | 'peerTurnoverCutoff' | 'peerTurnoverInterval'>
  >
  readonly numConnections: number
  connectedTorrents(): Iterable<TurnoverTorrent>
}

/** With no more connections than this, each counts too much to be given up for a hope (libtorrent). */
const TOO_FEW_CONNECTIONS = 5

/**
 * Every `peer_turnover_interval`: where connections run short, some of the least useful peers make room for others
 * that may be better. If it is the session's limit that is near, the torrent with the most peers gives some up.
 */
export class PeerTurnover {
  private lastRound: Millis

  constructor(
    private readonly host: PeerTurnoverHost,
    now: Millis,
  ) {
    this.lastRound = now
  }

  /** Once a second. */
  tick(now: Millis): void {
    const { connectionsLimit, peerTurnoverCutoff, peerTurnoverInterval } = this.host.settings
    if (now - this.lastRound < peerTurnoverInterval * 1000) return
    this.lastRound = now
    if (connectionsLimit <= TOO_FEW_CONNECTIONS) return
    const torrents = [...this.host.connectedTorrents()]
    if (this.host.numConnections >= Math.floor(connectionsLimit * peerTurnoverCutoff)) {
      const largest = torrents.reduce<TurnoverTorrent | null>(
        (most, torrent) => (most === null || torrent.numPeers > most.numPeers ? torrent : most),
        null,
      )
      if (largest !== null) this.disconnectSome(largest)
      return
    }
    for (const torrent of torrents) {
      const { maxConnections } = torrent
      if (maxConnections <= TOO_FEW_CONNECTIONS) continue
      if (torrent.numPeers >= Math.floor(maxConnections * peerTurnoverCutoff)) this.disconnectSome(torrent)
    }
  }

  private disconnectSome(torrent: TurnoverTorrent): void {
    const share = Math.max(1, Math.floor(torrent.numPeers * this.host.settings.peerTurnover))
    torrent.disconnectPeers(Math.min(share, torrent.connectCandidates), 'optimisticDisconnect')
  }
}
