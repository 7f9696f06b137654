import { type LibtorrentError, systemError } from '../errors/libtorrentError.ts'
import type { StorageHandler } from '../platform/disk.ts'
import type { PieceIndex, SlotIndex } from '../util/flavored.ts'
import type { BlockServer } from './blockServer.ts'
import type { PieceReceiver } from './pieceReceiver.ts'
import type { SeedMode } from './seedMode.ts'
import type { TorrentHost } from './torrentHost.ts'
import type { TorrentLoader } from './torrentLoader.ts'

export interface DiskAnswersHost {
  readonly session: Pick<TorrentHost, 'onFault'>
  readonly loader: TorrentLoader | null
  readonly receiver: PieceReceiver | null
  readonly server: BlockServer
  readonly seedMode: SeedMode
  readonly isRemoved: boolean
  readonly error: LibtorrentError | null
  needsSaveResume: boolean
  fail(error: LibtorrentError): void
}

/** Gives what the disk answers to the part that asked. Should our own code fail over it, this torrent stops. */
export class DiskAnswers implements StorageHandler {
  constructor(private readonly host: DiskAnswersHost) {}

  onBlockWritten(piece: PieceIndex, offset: number, _length: number, error: LibtorrentError | null): void {
    try {
      this.host.receiver?.onBlockWritten(piece, offset, error)
    } catch (cause) {
      this.onDiskFault(cause)
    }
    this.host.needsSaveResume = true
  }

  onPieceHashed(piece: PieceIndex, digest: Uint8Array | null, error: LibtorrentError | null): void {
    try {
      this.judge(piece, digest, error)
    } catch (cause) {
      this.onDiskFault(cause)
    }
  }

  onBlockHashed(piece: PieceIndex, offset: number, digest: Uint8Array | null): void {
    try {
      this.host.receiver?.onBlockHashed(piece, offset, digest)
    } catch (cause) {
      this.onDiskFault(cause)
    }
  }

  onBlockRead(token: number, slot: SlotIndex, _length: number, error: LibtorrentError | null): void {
    try {
      this.host.server.onBlockRead(token, slot, error)
    } catch (cause) {
      this.onDiskFault(cause)
    }
  }

  onDiskFault(cause: unknown): void {
    const { host } = this
    host.session.onFault(cause)
    if (host.error === null && !host.isRemoved) host.fail(systemError(cause))
  }

  private judge(piece: PieceIndex, digest: Uint8Array | null, error: LibtorrentError | null): void {
    const { loader, receiver, seedMode } = this.host
    if (loader?.onPieceHashed(piece, digest, error)) return
    // In seed mode nothing is downloaded.
    if (seedMode.verified !== null) seedMode.onPieceHashed(piece, digest)
    else receiver?.onPieceHashed(piece, digest, error)
  }
}
