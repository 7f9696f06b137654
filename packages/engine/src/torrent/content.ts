import type { TorrentState } from '../alerts/torrentState.ts'
import type { LibtorrentError } from '../errors/libtorrentError.ts'
import { storageFiles } from '../metainfo/fileStorage.ts'
import { PieceLayout } from '../metainfo/pieceLayout.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import type { StorageHandler, TorrentStorage } from '../platform/disk.ts'
import type { ResumeState } from '../resume/resumeState.ts'
import { Bitfield } from '../util/bitfield.ts'
import type { AddTorrentParams } from './addTorrentParams.ts'
import type { BlockRequester } from './blockRequester.ts'
import type { BlockServer } from './blockServer.ts'
import type { Completion } from './completion.ts'
import type { FilePriorities } from './filePriorities.ts'
import type { Interest } from './interest.ts'
import { PieceReceiver, type PieceReceiverHost } from './pieceReceiver.ts'
import type { RenamedFiles } from './renamedFiles.ts'
import type { SeedMode } from './seedMode.ts'
import type { Swarm } from './swarm.ts'
import type { TorrentHost } from './torrentHost.ts'
import { type LoadedPieces, TorrentLoader, type TorrentLoaderHost } from './torrentLoader.ts'
import type { TorrentNews } from './torrentNews.ts'
import type { TorrentPeerHost } from './torrentPeerHost.ts'
import { TorrentPieces } from './torrentPieces.ts'

export interface ContentHost extends PieceReceiverHost, TorrentLoaderHost {
  readonly session: Pick<TorrentHost, 'pool' | 'random' | 'openStorage'>
  readonly params: Readonly<AddTorrentParams>
  readonly savePath: string
  readonly renamedFiles: RenamedFiles
  readonly state: TorrentState
  readonly swarm: Swarm
  readonly peerHost: TorrentPeerHost
  readonly interest: Interest
  readonly requester: BlockRequester
  readonly server: BlockServer
  readonly files: FilePriorities
  readonly seedMode: SeedMode
  readonly completion: Completion
  readonly news: TorrentNews
  readonly isFinished: boolean
  readonly isPaused: boolean
  readonly isRemoved: boolean
  readonly error: LibtorrentError | null
  needsSaveResume: boolean
}

/** What of a torrent exists once its metadata is known: pieces, files, and the way from "not checked yet" to loaded. */
export class Content {
  readonly layout: PieceLayout
  readonly pieces: TorrentPieces
  readonly storage: TorrentStorage
  readonly receiver: PieceReceiver
  loader: TorrentLoader

  constructor(
    private readonly host: ContentHost,
    answers: StorageHandler,
  ) {
    const { params, session } = host
    host.renamedFiles.apply()
    const files = storageFiles(host.info.files())
    this.layout = new PieceLayout(host.info.totalSize, host.info.pieceLength)
    this.pieces = new TorrentPieces(this.layout, session.random)
    this.storage = session.openStorage(
      {
        savePath: host.savePath,
        files,
        totalSize: this.layout.totalSize,
        pieceLength: this.layout.pieceLength,
        allocation: params.storageMode ?? 'sparse',
      },
      answers,
      params.storage,
    )
    this.receiver = new PieceReceiver(host, this.layout, this.storage)
    this.loader = new TorrentLoader(host, this.layout, files, this.storage)
  }

  /** Begins to find out what is on disk; `host.onLoaded` or `host.fail` follows. */
  load(resume: ResumeState | null): void {
    const { host, layout } = this
    host.files.onContent(layout)
    for (const peer of [...host.swarm.connections]) peer.metadataKnown(layout)
    if (host.params.seedMode && resume === null) {
      const have = new Bitfield(layout.numPieces, true)
      host.onLoaded({ have, unfinishedBlocks: [], seedMode: true, verified: new Bitfield(layout.numPieces) })
    } else {
      this.loader.checkResume(resume)
    }
  }

  /** loading -> downloading, finished or seeding */
  onLoaded(found: LoadedPieces): void {
    const { host, layout, pieces, receiver } = this
    pieces.replace(found.have)
    host.seedMode.verified = found.seedMode ? found.verified.clone() : null
    const { picker } = pieces
    if (picker !== null) {
      host.files.apply()
      for (const id of found.unfinishedBlocks) picker.markAsFinished(id, null)
    }
    host.completion.onLoaded(pieces)
    if (!host.isFinished) this.initializeStorage()
    host.news.checked()
    if (host.isFinished) host.news.finished()
    host.needsSaveResume = true
    // Peers that were connected while there was no metadata learn only now what we have and want.
    for (const peer of [...host.swarm.connections]) this.adopt(peer)
    // Pieces whose blocks are all there were never hashed: that is done now.
    for (const id of found.unfinishedBlocks) receiver.hashIfComplete(layout.pieceOf(id))
  }

  /** any -> queuedForChecking: what we have is to be found out anew. */
  recheck(): void {
    const { host, layout, storage } = this
    this.loader.stop()
    this.receiver.clear()
    host.server.failWaiting()
    this.pieces.replace(new Bitfield(layout.numPieces))
    this.loader = new TorrentLoader(host, layout, storageFiles(host.info.files()), storage)
    this.loader.checkFiles()
  }

  /** Begins again where an error struck before it was known what is on disk. */
  retryLoading(): void {
    const { claim } = this.loader
    if (claim === null) this.recheck()
    else this.loader.checkResume(claim)
  }

  /** While it waits for its check, or is at it: gives its turn to others while it is paused or failed. */
  updateCheckingTurn(): void {
    const { host } = this
    if (host.state !== 'checkingFiles' && host.state !== 'queuedForChecking') return
    if (host.error !== null) return this.loader.stop()
    if (!host.isPaused) return host.queueForChecking()
    this.loader.interrupt()
    host.doneChecking()
  }

  /** Makes empty files and links, and in mode `allocate` the others. */
  private initializeStorage(): void {
    this.storage.initialize((error) => {
      if (error !== null && !this.host.isRemoved) this.host.diskTrouble.onWriteError(error)
    })
  }

  private adopt(peer: PeerConnection): void {
    const { host } = this
    host.picker?.incRefcountBits(peer.pieces)
    if (!peer.isReady) return
    host.interest.recount(peer)
    this.announceHave(peer)
    host.peerHost.closeIfRedundant(peer)
    if (!peer.isClosed) host.requester.requestMore(peer)
  }

  /** Tells a peer that got our greeting before the files were checked. */
  private announceHave(peer: PeerConnection): void {
    const { pieces } = this
    if (pieces.numHave === 0) return
    pieces.have().forEachSet((piece) => peer.writer.have(piece))
    peer.touch()
  }
}
