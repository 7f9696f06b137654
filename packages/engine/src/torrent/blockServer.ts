import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { TorrentStorage } from '../platform/disk.ts'
import type { SlotIndex } from '../util/flavored.ts'
import type { DiskTrouble } from './diskTrouble.ts'
import type { PieceSuggester } from './pieceSuggester.ts'
import { type BlockConsumer, ReadTable } from './readTable.ts'
import type { SeedMode } from './seedMode.ts'
import type { TorrentHost } from './torrentHost.ts'

export interface BlockServerHost {
  readonly session: Pick<TorrentHost, 'pool'>
  readonly storage: TorrentStorage | null
  /** Says which pieces have to be verified before they are read; answers by `pieceVerified`. */
  readonly seedMode: SeedMode
  readonly diskTrouble: DiskTrouble
  readonly suggester: PieceSuggester
}

/** Serves blocks from disk to whoever asked for them: peers, mostly. */
export class BlockServer {
  private readonly reads = new ReadTable()
  /** In seed mode: requests that wait until their piece has been verified. */
  private waiting: Map<number, number[]> | null = null

  constructor(private readonly host: BlockServerHost) {}

  read(consumer: BlockConsumer, piece: number, begin: number, length: number): void {
    const { storage, seedMode } = this.host
    if (storage === null) {
      consumer.readFailed(piece, begin, length, null)
      return
    }
    const token = this.reads.add(consumer, piece, begin, length)
    if (seedMode.isUnverified(piece)) this.waitForHash(piece, token)
    else storage.readBlock(piece, begin, length, token)
  }

  /** Answer of the disk; owns `slot` unless there is an error. */
  onBlockRead(token: number, slot: SlotIndex, error: LibtorrentError | null): void {
    const { reads } = this
    const consumer = reads.consumers[token]
    const piece = reads.pieces[token]
    const begin = reads.begins[token]
    const length = reads.lengths[token]
    reads.release(token)
    if (error === null) {
      this.host.suggester.onPieceInMemory(piece)
      if (consumer === null) this.host.session.pool.release(slot)
      else consumer.sendBlock(piece, begin, length, slot)
      return
    }
    if (consumer?.readFailed(piece, begin, length, error) !== true) this.host.diskTrouble.onReadError(error)
  }

  /** Nothing is verified any more: all files are about to be checked. */
  failWaiting(): void {
    for (const piece of [...(this.waiting?.keys() ?? [])]) this.pieceVerified(piece, false)
  }

  /** The torrent leaves its session: whoever still waits is told so at once. What the disk answers is dropped. */
  abort(): void {
    const { reads } = this
    this.waiting = null
    for (let token = 0; token < reads.consumers.length; token++) {
      const consumer = reads.consumers[token]
      reads.consumers[token] = null
      consumer?.readFailed(reads.pieces[token], reads.begins[token], reads.lengths[token], null)
    }
  }

  /** The hash of a piece that requests wait for is known. */
  pieceVerified(piece: number, passed: boolean): void {
    const tokens = this.waiting?.get(piece)
    if (tokens === undefined) return
    this.waiting?.delete(piece)
    for (const token of tokens) {
      const { reads } = this
      if (passed && this.host.storage !== null) {
        this.host.storage.readBlock(reads.pieces[token], reads.begins[token], reads.lengths[token], token)
      } else {
        reads.consumers[token]?.readFailed(reads.pieces[token], reads.begins[token], reads.lengths[token], null)
        reads.release(token)
      }
    }
  }

  private waitForHash(piece: number, token: number): void {
    this.waiting ??= new Map()
    const tokens = this.waiting.get(piece)
    if (tokens !== undefined) {
      tokens.push(token)
      return
    }
    this.waiting.set(piece, [token])
    this.host.seedMode.verifyPiece(piece)
  }
}
