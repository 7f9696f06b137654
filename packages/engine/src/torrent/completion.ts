import type { LibtorrentErrorCode } from '../errors/libtorrentError.ts'
import type { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import type { TorrentPeer } from '../peers/torrentPeer.ts'
import type { TorrentStorage } from '../platform/disk.ts'
import type { Settings } from '../settings/settings.ts'
import type { TorrentTrackers } from '../tracker/torrentTrackers.ts'
import type { PieceIndex } from '../util/flavored.ts'
import { encodeUploadOnly } from '../wire/uploadOnly.ts'
import type { BlockRequester } from './blockRequester.ts'
import type { FilePriorities } from './filePriorities.ts'
import type { Interest } from './interest.ts'
import type { PeerNews } from './peerNews.ts'
import type { PieceSuggester } from './pieceSuggester.ts'
import type { Swarm } from './swarm.ts'
import type { TorrentCounters } from './torrentCounters.ts'
import type { TorrentHost } from './torrentHost.ts'
import type { TorrentNews } from './torrentNews.ts'
import type { TorrentPeerHost } from './torrentPeerHost.ts'
import type { TorrentPieces } from './torrentPieces.ts'

export interface CompletionHost {
  readonly session: Pick<TorrentHost, 'clock'>
  readonly settings: Readonly<Settings>
  readonly news: TorrentNews
  readonly peerNews: PeerNews
  readonly counters: TorrentCounters
  readonly swarm: Swarm
  readonly peerHost: TorrentPeerHost
  readonly interest: Interest
  readonly requester: BlockRequester
  readonly files: FilePriorities
  readonly trackers: TorrentTrackers
  readonly layout: PieceLayout | null
  readonly pieces: TorrentPieces | null
  readonly storage: TorrentStorage | null
  /** Files are checked: `pieces` says what is there. */
  readonly isLoaded: boolean
  readonly suggester: PieceSuggester
  needsSaveResume: boolean
  enter(state: 'downloading' | 'finished' | 'seeding'): void
}

/** What follows from pieces gained and lost, up to the last one: downloading -> finished -> seeding, and back. */
export class Completion {
  /** All that was wanted was there when last looked at. */
  private wasFinished = false

  constructor(private readonly host: CompletionHost) {}

  /** The files were checked. */
  onLoaded(pieces: TorrentPieces): void {
    this.wasFinished = pieces.isFinished
    this.host.enter(this.wasFinished ? (pieces.isSeed ? 'seeding' : 'finished') : 'downloading')
  }

  onPiecePassed(piece: PieceIndex): void {
    const { host } = this
    host.news.pieceFinished(piece)
    host.suggester.onPieceInMemory(piece)
    for (const peer of host.swarm.connections) {
      if (!peer.isReady) continue
      host.interest.gained(peer, piece)
      peer.suggested.remove(piece)
      if (peer.pieces.get(piece) && !host.settings.sendRedundantHave) continue
      peer.writer.have(piece)
      peer.touch()
    }
    host.news.filesCompleted(() => host.files.completedBy(piece))
    const { pieces } = host
    // A piece that was on its way when it ceased to be wanted finishes nothing, unless it was the last one.
    if (pieces?.isFinished && (!this.wasFinished || pieces.isSeed)) this.finish(pieces)
  }

  onPieceFailed(piece: PieceIndex, banned: readonly TorrentPeer[]): void {
    const { host } = this
    host.counters.failedBytes += host.layout?.pieceSize(piece) ?? 0
    host.news.hashFailed(piece)
    for (const entry of banned) this.ban(entry, 'tooManyCorruptPieces')
    for (const peer of host.swarm.connections) host.requester.requestMore(peer)
  }

  /** The peer has sent a wrong block. */
  onLiar(peer: TorrentPeer): void {
    this.ban(peer, 'peerBanned')
  }

  /** Piece or file priorities have changed: something else is wanted. */
  onPrioritiesChanged(): void {
    const { host } = this
    const { pieces } = host
    host.needsSaveResume = true
    if (pieces === null || !host.isLoaded) return
    if (pieces.isFinished && !this.wasFinished) this.finish(pieces)
    else if (!pieces.isFinished && this.wasFinished) this.wantAgain()
    for (const peer of [...host.swarm.connections]) {
      host.interest.recount(peer)
      host.requester.requestMore(peer)
    }
    host.swarm.wantConnections()
  }

  private ban(peer: TorrentPeer, code: LibtorrentErrorCode): void {
    const entry = peer as TorrentPeer<PeerConnection>
    // Several pieces it had a part in may fail one after the other.
    if (entry.banned) return
    this.host.peerNews.banned(entry)
    this.host.swarm.ban(entry, code)
  }

  /** downloading -> finished or seeding; finished -> seeding */
  private finish(pieces: TorrentPieces): void {
    const { host, wasFinished } = this
    const completed = pieces.isSeed
    pieces.dropPicker()
    this.wasFinished = true
    host.enter(completed ? 'seeding' : 'finished')
    host.counters.completedTime = host.session.clock.unixTime()
    host.needsSaveResume = true
    for (const peer of [...host.swarm.connections]) {
      host.interest.recount(peer)
      peer.sendExtended('upload_only', encodeUploadOnly(true))
      host.peerHost.closeIfRedundant(peer)
    }
    if (completed) host.trackers.completed()
    host.storage?.flush(() => {})
    if (!wasFinished) host.news.finished()
  }

  /** finished or seeding -> downloading */
  private wantAgain(): void {
    this.wasFinished = false
    this.host.enter('downloading')
    for (const peer of this.host.swarm.connections) peer.sendExtended('upload_only', encodeUploadOnly(false))
  }
}
