import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { FileStorage } from '../metainfo/fileStorage.ts'
import type { Clock, Timers } from '../platform/clock.ts'
import type { HttpStreamClient } from '../platform/httpStream.ts'
import type { Resolver } from '../platform/resolver.ts'
import type { TlsContext } from '../platform/tls.ts'
import type { PieceIndex, Seconds } from '../util/flavored.ts'
import type { BlockAssemblerHost } from './blockAssembler.ts'
import type { WebSeed } from './webSeed.ts'
import type { WebSeedSettings } from './webSeedSettings.ts'

/** What became of a web seed that cannot be used now. */
export interface WebSeedTrouble {
  readonly error: LibtorrentError
  /** The URL that was asked, without credentials. */
  readonly url: string
  /** It is asked again after so long; null: never, or it is just one file that it does not have. */
  readonly retryIn: Seconds | null
}

/** What a web seed needs from the torrent it belongs to, and what it reports to it. */
export interface WebSeedHost extends BlockAssemblerHost {
  readonly settings: WebSeedSettings
  readonly clock: Clock
  readonly timers: Timers
  readonly http: HttpStreamClient
  /** Default: the system's. */
  readonly resolver?: Resolver
  /** The files as the torrent names them: what they were renamed to on our disk means nothing to a server. */
  readonly files: FileStorage
  /** 20 bytes. */
  readonly infoHash: Uint8Array
  /** The session's judgement of an address, such as the IP filter's. */
  checkAddress(address: string): LibtorrentError | null
  /** Whether the port filter forbids servers at this port. Default: no port. */
  isPortBlocked?(port: number): boolean
  /** The server has this address, and `error` is why it is not connected to there. */
  onAddressRefused?(address: string, error: LibtorrentError): void
  readonly localAddress?: string
  readonly validateCertificate?: boolean
  /** Of an SSL torrent: whom an https server must be vouched for by, and what it is shown. */
  readonly tls?: TlsContext | undefined
  /**
   * Chooses up to `count` blocks of the pieces `seed.pieces`, preferably many in a row, and marks them as asked of this
   * seed. None when there is nothing to ask for now: the seed is then idle until `pump`.
   */
  pickBlocks(seed: WebSeed, count: number): readonly number[]
  /** These blocks, picked before, will not come: they are free for others. */
  onBlocksGivenUp(seed: WebSeed, blocks: readonly number[]): void
  /** The seed turned out not to have these pieces. */
  onPiecesLost(seed: WebSeed, pieces: readonly PieceIndex[]): void
  /** How many of `bytes` that have arrived the limits let pass now. When not all, `seed.resume` follows. Default: all. */
  takeQuota?(bytes: number): number
  /** Bytes the limits let pass that are not taken now. */
  giveBackQuota?(bytes: number): void
  /** No slot was free: the seed reads nothing until `resume`. */
  onStalled(seed: WebSeed): void
  /** Bytes of bodies, as they arrive. */
  onReceived(seed: WebSeed, length: number): void
  onTrouble(seed: WebSeed, trouble: WebSeedTrouble): void
}
