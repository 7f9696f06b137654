import { isUnspecified } from '../address/classify.ts'
import type { AlertSink } from '../alerts/alertSink.ts'
import { IncomingConnectionAlert } from '../alerts/peerAlerts.ts'
import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type { Platform } from '../platform/platform.ts'
import { SocketType } from '../platform/socketType.ts'
import type { Stream } from '../platform/tcp.ts'
import type { RtcHost } from '../rtc/rtcHost.ts'
import type { Settings } from '../settings/settings.ts'
import type { Torrent } from '../torrent/torrent.ts'
import { fromLatin1 } from '../util/bytes.ts'
import type { Millis } from '../util/flavored.ts'
import { postRefused } from './refusedConnection.ts'
import { refuseStream } from './refuseStream.ts'

export interface RtcPeersHost {
  readonly platform: Platform
  readonly settings: Readonly<Settings>
  readonly alerts: AlertSink
  readonly peerId: Uint8Array
  readonly freeConnections: number
  /** The torrent of an info-hash of 20 bytes. */
  targetOf(infoHash: Uint8Array): Torrent | null
  /** The address to be used for a family; null: none. */
  localAddress(family: 4 | 6): string | null
  /** Peers and trackers must not learn our addresses: a proxy is in use, or anonymous mode. Default false. */
  readonly isHiding?: boolean
  /** The IP filter's judgement of an address. */
  checkAddress(address: string): LibtorrentError | null
  onFault(cause: unknown): void
}

/** Brings WebRTC connections and torrents together: who wants one, who gets it. */
export class RtcPeers implements RtcHost {
  constructor(private readonly host: RtcPeersHost) {}

  get platform(): Platform {
    return this.host.platform
  }

  get settings(): Readonly<Settings> {
    return this.host.settings
  }

  get peerId(): Uint8Array {
    return this.host.peerId
  }

  /** Who listens on one address of the machine only is heard from no other. */
  get boundAddress(): string | undefined {
    const v4 = this.host.localAddress(4)
    if (v4 !== null && !isUnspecified(v4)) return v4
    const v6 = this.host.localAddress(6)
    return v6 !== null && !isUnspecified(v6) ? v6 : undefined
  }

  /** The devices named are gone, and with them the addresses to speak from: no others take their place. */
  private get isCutOff(): boolean {
    return this.host.localAddress(4) === null && this.host.localAddress(6) === null
  }

  get isHiding(): boolean {
    return this.host.isHiding ?? false
  }

  wantsPeer(infoHash: string, isOutgoing: boolean): boolean {
    const torrent = this.find(infoHash)
    if (torrent === null || !torrent.isTakingPeers || this.isHiding || this.host.freeConnections <= 0) return false
    if (this.isCutOff) return false
    // Nobody shows a certificate by WebRTC.
    if (!torrent.ssl.admits(SocketType.rtc)) return false
    if (isOutgoing && torrent.isFinished && !this.settings.seedingOutgoingConnections) return false
    return torrent.swarm.numPeers < torrent.maxConnections
  }

  hasPeer(infoHash: string, peerId: string): boolean {
    return this.find(infoHash)?.swarm.hasPeerId(fromLatin1(peerId)) === true
  }

  checkTrackerAddress(address: string): LibtorrentError | null {
    return this.host.checkAddress(address)
  }

  acceptsPeer(infoHash: string, address: string): boolean {
    return this.find(infoHash)?.peerFilter.refusal(address) === null
  }

  onStream(infoHash: string, stream: Stream, isOutgoing: boolean): void {
    const torrent = this.find(infoHash)
    if (torrent === null) return refuseStream(stream)
    const { alerts } = this.host
    if (!isOutgoing && alerts.wants(IncomingConnectionAlert.category)) {
      alerts.post(new IncomingConnectionAlert({ socketType: stream.socketType, endpoint: stream.remote }))
    }
    try {
      const refusal = torrent.adopt(stream, isOutgoing)
      if (refusal === null) return
      refuseStream(stream)
      const error = libtorrentError(refusal, { operation: 'bittorrent' })
      postRefused(alerts, { endpoint: stream.remote, error, handshake: null, torrent: torrent.ref })
    } catch (cause) {
      this.host.onFault(cause)
      refuseStream(stream)
    }
  }

  onTrackerLost(infoHash: string, url: string, delay: Millis): void {
    this.find(infoHash)?.trackers.onTrackerLost(url, delay)
  }

  private find(infoHash: string): Torrent | null {
    return this.host.targetOf(fromLatin1(infoHash))
  }
}
