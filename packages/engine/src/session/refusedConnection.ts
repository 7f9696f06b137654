import type { Endpoint } from '../address/endpoint.ts'
import type { AlertSink, TorrentRef } from '../alerts/alertSink.ts'
import {
  PeerBlockedAlert,
  type PeerBlockedReason,
  PeerDisconnectedAlert,
  PeerErrorAlert,
} from '../alerts/peerAlerts.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import { Sha1Hash } from '../util/digest.ts'
import type { Handshake } from '../wire/handshake.ts'

const NO_TORRENT: TorrentRef = { infoHash: Sha1Hash.zero }
const NO_PEER_ID = new Uint8Array(20)

export interface RefusedConnection {
  readonly endpoint: Endpoint
  readonly error: LibtorrentError
  /** Null when it ended before its handshake was complete. */
  readonly handshake: Handshake | null
  /** Null when there is none it could be for. */
  readonly torrent: TorrentRef | null
}

/**
 * A connection that a stranger opened has ended before it belonged to a torrent: posts `peerDisconnected`, or `peerError`
 * when it was the TLS handshake that failed, as libtorrent does. Where there is no torrent the handle is no valid one: it has the info-hash the stranger asked for, or zeros.
 */
export function postRefused(alerts: AlertSink, { endpoint, error, handshake, torrent }: RefusedConnection): void {
  const isHandshake = error.operation === 'sslHandshake'
  if (!alerts.wants((isHandshake ? PeerErrorAlert : PeerDisconnectedAlert).category)) return
  const asked = handshake === null ? NO_TORRENT : { infoHash: new Sha1Hash(handshake.infoHash) }
  const pid = handshake?.peerId ?? NO_PEER_ID
  const fields = { handle: torrent ?? asked, endpoint, pid, error }
  alerts.post(isHandshake ? new PeerErrorAlert(fields) : new PeerDisconnectedAlert(fields))
}

/** Who has just connected may not: posts `peerBlocked`, as libtorrent does; the handle is no valid one. */
export function postBlocked(alerts: AlertSink, ip: string, reason: PeerBlockedReason): void {
  if (!alerts.wants(PeerBlockedAlert.category)) return
  alerts.post(new PeerBlockedAlert({ handle: NO_TORRENT, ip, reason }))
}
