import type { AlertSink, TorrentRef } from '../alerts/alertSink.ts'
import {
  BlockDownloadingAlert,
  BlockFinishedAlert,
  BlockTimeoutAlert,
  InvalidRequestAlert,
  PeerBanAlert,
  PeerConnectAlert,
  PeerDisconnectedAlert,
  PeerErrorAlert,
  PeerSnubbedAlert,
  PeerUnsnubbedAlert,
  RequestDroppedAlert,
  UnwantedBlockAlert,
} from '../alerts/peerAlerts.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { PeerRequest } from '../metainfo/peerRequest.ts'
import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'
import type { BlockIndex, PieceIndex } from '../util/flavored.ts'
import type { BlockSource } from './blockSource.ts'
import { isPeerError } from './connectionEnd.ts'

export interface PeerNewsHost {
  readonly alerts: AlertSink
  readonly ref: TorrentRef
  readonly layout: PieceLayout | null
}

type PeerFields = { readonly handle: TorrentRef; readonly endpoint: PeerConnection['remote']; readonly pid: Uint8Array }
type BlockFields = PeerFields & { readonly pieceIndex: PieceIndex; readonly blockIndex: BlockIndex }

/**
 * Says what happened to the peers of a torrent: one method a fact, each an alert if somebody wants to know. Nothing is
 * built when nobody does: some of these happen with every block.
 */
export class PeerNews {
  constructor(private readonly host: PeerNewsHost) {}

  connecting(peer: PeerConnection): void {
    if (!this.host.alerts.wants(PeerConnectAlert.category)) return
    this.host.alerts.post(new PeerConnectAlert({ ...this.peerFields(peer), socketType: peer.socketType }))
  }

  closed(peer: PeerConnection, error: LibtorrentError): void {
    const PeerEnd = isPeerError(error) ? PeerErrorAlert : PeerDisconnectedAlert
    if (!this.host.alerts.wants(PeerEnd.category)) return
    this.host.alerts.post(new PeerEnd({ ...this.peerFields(peer), error }))
  }

  banned(entry: TorrentPeer<PeerConnection>): void {
    const { alerts, ref } = this.host
    if (!alerts.wants(PeerBanAlert.category)) return
    const pid = entry.connection?.peerId ?? new Uint8Array(20)
    alerts.post(new PeerBanAlert({ handle: ref, endpoint: entry.endpoint, pid }))
  }

  snubbed(peer: PeerConnection): void {
    if (!this.host.alerts.wants(PeerSnubbedAlert.category)) return
    this.host.alerts.post(new PeerSnubbedAlert(this.peerFields(peer)))
  }

  unsnubbed(peer: PeerConnection): void {
    if (!this.host.alerts.wants(PeerUnsnubbedAlert.category)) return
    this.host.alerts.post(new PeerUnsnubbedAlert(this.peerFields(peer)))
  }

  invalidRequest(peer: PeerConnection, request: PeerRequest): void {
    if (!this.host.alerts.wants(InvalidRequestAlert.category)) return
    this.host.alerts.post(new InvalidRequestAlert({ ...this.peerFields(peer), request }))
  }

  blockDownloading(peer: BlockSource, blockId: number): void {
    if (!this.host.alerts.wants(BlockDownloadingAlert.category)) return
    this.host.alerts.post(new BlockDownloadingAlert(this.blockFields(peer, blockId)))
  }

  blockFinished(peer: BlockSource, blockId: number): void {
    if (!this.host.alerts.wants(BlockFinishedAlert.category)) return
    this.host.alerts.post(new BlockFinishedAlert(this.blockFields(peer, blockId)))
  }

  blockTimeout(peer: PeerConnection, blockId: number): void {
    if (!this.host.alerts.wants(BlockTimeoutAlert.category)) return
    this.host.alerts.post(new BlockTimeoutAlert(this.blockFields(peer, blockId)))
  }

  requestDropped(peer: PeerConnection, blockId: number): void {
    if (!this.host.alerts.wants(RequestDroppedAlert.category)) return
    this.host.alerts.post(new RequestDroppedAlert(this.blockFields(peer, blockId)))
  }

  unwantedBlock(peer: PeerConnection, blockId: number): void {
    if (!this.host.alerts.wants(UnwantedBlockAlert.category)) return
    this.host.alerts.post(new UnwantedBlockAlert(this.blockFields(peer, blockId)))
  }

  private peerFields(peer: BlockSource): PeerFields {
    return { handle: this.host.ref, endpoint: peer.remote, pid: peer.peerId }
  }

  private blockFields(peer: BlockSource, blockId: number): BlockFields {
    const { layout } = this.host
    return {
      ...this.peerFields(peer),
      pieceIndex: layout?.pieceOf(blockId) ?? -1,
      blockIndex: layout?.blockOf(blockId) ?? -1,
    }
  }
}
