import { SimBlockPool } from '../../../sim/simBlockPool.ts'
import type { TestTorrent } from '../../../sim/testTorrent.ts'
import type { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import type { FileStorage } from '../../../src/metainfo/fileStorage.ts'
import { PieceLayout } from '../../../src/metainfo/pieceLayout.ts'
import type { WebSeedEntry } from '../../../src/metainfo/trackerUrl.ts'
import type { Clock, Timers } from '../../../src/platform/clock.ts'
import type { HttpStreamClient } from '../../../src/platform/httpStream.ts'
import { equalBytes } from '../../../src/util/bytes.ts'
import type { PieceIndex, SlotIndex } from '../../../src/util/flavored.ts'
import { blockOffset } from '../../../src/webseed/segment.ts'
import { WebSeed } from '../../../src/webseed/webSeed.ts'
import type { WebSeedHost, WebSeedTrouble } from '../../../src/webseed/webSeedHost.ts'
import type { WebSeedSettings } from '../../../src/webseed/webSeedSettings.ts'

export const SETTINGS: WebSeedSettings = {
  urlseedTimeout: 20,
  urlseedPipelineSize: 5,
  urlseedWaitRetry: 30,
  urlseedMaxRequestBytes: 16 << 20,
  banWebSeeds: true,
  ssrfMitigation: true,
  userAgent: 'test/1.0',
  anonymousMode: false,
  webSeedNameLookupRetry: 1800,
}

export interface LeecherParts {
  readonly clock: Clock
  readonly timers: Timers
  readonly http: HttpStreamClient
}

export interface LeecherOptions {
  readonly settings?: Partial<WebSeedSettings>
  readonly slots?: number
  /** Pieces that are wanted; default all. */
  readonly wants?: (piece: PieceIndex) => boolean
  readonly entry?: Partial<WebSeedEntry>
  readonly files?: FileStorage
  readonly checkAddress?: (address: string) => LibtorrentError | null
}

/** A torrent that has nothing, and one web seed. It takes blocks in order, and keeps what it is given. */
export class Leecher implements WebSeedHost {
  readonly settings: WebSeedSettings
  readonly clock: Clock
  readonly timers: Timers
  readonly http: HttpStreamClient
  readonly files: FileStorage
  readonly layout: PieceLayout
  readonly infoHash: Uint8Array
  readonly pool: SimBlockPool
  readonly seed: WebSeed
  isDiskCongested = false
  /** Blocks that have arrived, by id. */
  readonly blocks = new Map<number, Uint8Array>()
  readonly troubles: WebSeedTrouble[] = []
  readonly lostPieces: PieceIndex[] = []
  redundantBytes = 0
  receivedBytes = 0
  stalls = 0
  /** Slots are kept until the test gives them back. */
  keepSlots = false
  readonly kept: SlotIndex[] = []
  onTroubled: () => void = () => {}
  onDone: () => void = () => {}
  /** Blocks that somebody else brings before the seed does. */
  readonly foreign = new Set<number>()
  readonly checkAddress: (address: string) => LibtorrentError | null
  private readonly asked = new Set<number>()
  private readonly wants: (piece: PieceIndex) => boolean

  constructor(
    readonly torrent: TestTorrent,
    url: string,
    parts: LeecherParts,
    options: LeecherOptions = {},
  ) {
    this.clock = parts.clock
    this.timers = parts.timers
    this.http = parts.http
    this.settings = { ...SETTINGS, ...options.settings }
    const info = torrent.info()
    this.files = options.files ?? info.origFiles()
    this.layout = new PieceLayout(torrent.totalSize, torrent.pieceLength)
    this.infoHash = torrent.infoHash.bytes
    this.pool = new SimBlockPool(options.slots ?? 64)
    this.wants = options.wants ?? (() => true)
    this.checkAddress = options.checkAddress ?? (() => null)
    this.seed = new WebSeed(this, { url, type: 'urlSeed', ...options.entry })
  }

  /** Whether everything that is wanted and that the seed has is there. */
  get isDone(): boolean {
    for (let id = 0; id < this.numBlocks; id++) {
      if (this.isWanted(id) && this.seed.pieces.get(this.layout.pieceOf(id)) && !this.blocks.has(id)) return false
    }
    return true
  }

  /** Pieces that are complete, in order. */
  get pieces(): PieceIndex[] {
    return Array.from({ length: this.layout.numPieces }, (_, piece) => piece).filter((piece) => {
      const blocks = this.layout.blocksInPiece(piece)
      return Array.from({ length: blocks }, (_, b) => this.blocks.has(this.layout.blockId(piece, b))).every(Boolean)
    })
  }

  /** Whether each block that is there has the bytes it should. */
  get isCorrect(): boolean {
    return [...this.blocks].every(([id, bytes]) => {
      const offset = blockOffset(this.layout, id)
      return equalBytes(bytes, this.torrent.content.subarray(offset, offset + bytes.length))
    })
  }

  /** What it has not given back. */
  get leftovers(): { slots: number; asked: number } {
    return { slots: this.pool.inUse, asked: this.asked.size }
  }

  private get numBlocks(): number {
    const { layout } = this
    return layout.blockId(layout.numPieces - 1, layout.blocksInLastPiece - 1) + 1
  }

  private isWanted(id: number): boolean {
    return this.wants(this.layout.pieceOf(id)) && !this.foreign.has(id)
  }

  pickBlocks(seed: WebSeed, count: number): readonly number[] {
    const picked: number[] = []
    for (let id = 0; id < this.numBlocks && picked.length < count; id++) {
      if (!this.isWanted(id) || this.blocks.has(id) || this.asked.has(id)) continue
      if (seed.pieces.get(this.layout.pieceOf(id))) picked.push(id)
    }
    for (const id of picked) this.asked.add(id)
    return picked
  }

  wantsBlock(id: number): boolean {
    if (!this.foreign.has(id)) return true
    this.asked.delete(id)
    return false
  }

  onBlock(id: number, slot: SlotIndex): void {
    if (!this.asked.delete(id)) throw new Error(`block ${id} was not asked for`)
    if (this.blocks.has(id)) throw new Error(`block ${id} came twice`)
    const size = this.layout.blockSize(this.layout.pieceOf(id), this.layout.blockOf(id))
    this.blocks.set(id, Uint8Array.from(this.pool.bytes(slot).subarray(0, size)))
    if (this.keepSlots) this.kept.push(slot)
    else this.pool.release(slot)
    if (this.isDone) this.onDone()
  }

  /** Slots that were kept are free again, and the seed told. */
  releaseKept(): void {
    for (const slot of this.kept.splice(0)) this.pool.release(slot)
    this.seed.resume()
  }

  onRedundantBytes(length: number): void {
    this.redundantBytes += length
  }

  onBlocksGivenUp(_seed: WebSeed, blocks: readonly number[]): void {
    for (const id of blocks) if (!this.asked.delete(id)) throw new Error(`block ${id} was given up and not asked for`)
  }

  onPiecesLost(_seed: WebSeed, pieces: readonly PieceIndex[]): void {
    this.lostPieces.push(...pieces)
  }

  onStalled(): void {
    this.stalls++
  }

  onReceived(_seed: WebSeed, length: number): void {
    this.receivedBytes += length
  }

  onTrouble(_seed: WebSeed, trouble: WebSeedTrouble): void {
    this.troubles.push(trouble)
    this.onTroubled()
  }
}
