import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import { closesNewOfSamePeerId } from '../peers/duplicateConnections.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'
import type { PiecePicker } from '../picker/piecePicker.ts'
import type { Random } from '../platform/random.ts'
import type { Settings } from '../settings/settings.ts'
import { equalBytes } from '../util/bytes.ts'
import { allowedFastSet } from '../wire/allowedFastSet.ts'
import type { Holepunch } from './holepunch.ts'
import { fullBitfield, sendLazyBitfield } from './lazyBitfield.ts'
import type { MetadataExchange } from './metadataExchange.ts'
import { type OtherFamilyAddressHost, otherFamilyAddress } from './otherFamilyAddress.ts'
import type { PeerExchange } from './peerExchange.ts'
import type { Swarm } from './swarm.ts'
import type { TorrentPeerHost } from './torrentPeerHost.ts'
import type { TorrentSsl } from './torrentSsl.ts'
import type { TrackerExchange } from './trackerExchange.ts'

export interface PeerGreetingHost extends OtherFamilyAddressHost {
  /** 20 bytes. */
  readonly peerId: Uint8Array
  readonly settings: Readonly<Settings>
  readonly layout: PieceLayout | null
  /** 20 bytes. */
  readonly infoHashBytes: Uint8Array
  /** Null until the files are checked, and once every piece is had. */
  readonly picker: PiecePicker<TorrentPeer> | null
  readonly swarm: Swarm
  readonly metadata: MetadataExchange
  readonly exchange: PeerExchange
  readonly holepunch: Holepunch
  readonly trackerExchange: TrackerExchange
  readonly peerHost: TorrentPeerHost
  readonly random: Random
  /** Every piece is had. */
  readonly isSeed: boolean
  readonly ssl: TorrentSsl
  /** Nothing (more) is wanted. */
  readonly isUploadOnly: boolean
  /** Files are checked: peers may be told what we have. */
  readonly isLoaded: boolean
  havePiece(piece: number): boolean
}

/** What a torrent does when both handshakes of a connection are done: makes sure whom it talks to, then says who it is. */
export class PeerGreeting {
  constructor(private readonly host: PeerGreetingHost) {}

  onReady(peer: PeerConnection): void {
    const { swarm } = this.host
    if (this.closeIfSelfOrDuplicate(peer)) return
    if (peer.entry !== null) swarm.list.setFailcount(peer.entry, 0)
    this.greet(peer)
  }

  private closeIfSelfOrDuplicate(peer: PeerConnection): boolean {
    const { peerId, swarm, settings } = this.host
    if (equalBytes(peer.peerId, peerId)) {
      if (peer.entry !== null) swarm.list.setOurselves(peer.entry)
      peer.fail('selfConnection')
      return true
    }
    if (settings.allowMultipleConnectionsPerPid) return false
    for (const other of swarm.connections) {
      if (other === peer || !other.isReady || !equalBytes(other.peerId, peer.peerId)) continue
      // Of two that came the same way the first stays: anyone can claim the id of another.
      const isSameWay = other.isOutgoing === peer.isOutgoing
      const closesNew = isSameWay || closesNewOfSamePeerId(peerId, peer.peerId, peer.isOutgoing)
      const loser = closesNew ? peer : other
      loser.fail('duplicatePeerId')
      return closesNew
    }
    return false
  }

  /** What we have (BEP 3, 6), then what we speak (BEP 10). */
  private greet(peer: PeerConnection): void {
    const { layout, isLoaded } = this.host
    this.sendPieces(peer, layout)
    if (layout !== null && isLoaded && peer.supportsFast) this.grantAllowedFast(peer, layout)
    if (peer.supportsExtensions) this.sendExtensionHandshake(peer)
    this.sendDhtPort(peer)
    peer.touch()
  }

  private sendPieces(peer: PeerConnection, layout: PieceLayout | null): void {
    const { picker, isSeed, random } = this.host
    const { supportsFast, writer } = peer
    if (isSeed && layout !== null && this.hidesFrom(peer)) {
      sendLazyBitfield(writer, layout.numPieces, random)
    } else if (isSeed && layout !== null) {
      if (supportsFast) writer.haveAll()
      else writer.bitfield(fullBitfield(layout.numPieces))
    } else if (picker !== null && picker.numHave > 0) {
      writer.bitfield(picker.have.asBytes())
    } else if (supportsFast) {
      writer.haveNone()
    }
  }

  /** Whoever watches the line sees no bitfield of a seed; where it is encrypted he sees nothing (manual, lazy_bitfields). */
  private hidesFrom(peer: PeerConnection): boolean {
    return this.host.settings.lazyBitfields && peer.encryption === 'none'
  }

  /** Pieces it may have while it is choked (BEP 6). */
  private grantAllowedFast(peer: PeerConnection, layout: PieceLayout): void {
    const { host } = this
    const { allowedFastSetSize } = host.settings
    const { address } = peer.remote
    for (const piece of allowedFastSet(address, host.infoHashBytes, layout.numPieces, allowedFastSetSize)) {
      if (!host.havePiece(piece)) continue
      peer.upload.grant(piece)
      peer.writer.allowedFast(piece)
    }
  }

  private sendExtensionHandshake(peer: PeerConnection): void {
    const { settings, metadata, trackerExchange, isUploadOnly, ssl } = this.host
    const handshake = {
      ...(settings.anonymousMode
        ? null
        : {
            client: settings.handshakeClientVersion || settings.userAgent,
            listenPort: peer.isI2p ? undefined : ssl.listenPort || undefined,
            ...(peer.isI2p ? null : otherFamilyAddress(this.host, peer.remote.address)),
          }),
      yourAddress: peer.isI2p ? undefined : peer.remote.address,
      maxRequests: settings.maxAllowedInRequestQueue,
      metadataSize: metadata.size || undefined,
      trackersHash: trackerExchange.hash(),
      // A seed that hides as one that lacks pieces does not say so either.
      isUploadOnly: isUploadOnly && !this.hidesFrom(peer),
    }
    peer.sendExtensionHandshake(handshake, this.withheldExtensions(peer))
  }

  /** What a private torrent, or peers behind a proxy, have no use for. */
  private withheldExtensions(peer: PeerConnection): readonly string[] {
    const { exchange, holepunch, metadata, trackerExchange } = this.host
    return [
      ...exchange.withheldFrom(peer),
      ...(holepunch.isAllowed ? [] : ['ut_holepunch']),
      ...(metadata.isAllowed ? [] : ['ut_metadata', 'LT_metadata']),
      ...(trackerExchange.isAllowed ? [] : ['lt_tex']),
    ]
  }

  /** Where our DHT node is (BEP 5). Peers of a private torrent are not told. */
  private sendDhtPort(peer: PeerConnection): void {
    const { dhtPort } = this.host.peerHost
    if (peer.supportsDht && !peer.isI2p && dhtPort !== 0) peer.writer.dhtPort(dhtPort)
  }
}
