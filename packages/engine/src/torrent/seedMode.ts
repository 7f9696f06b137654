import type { TorrentStorage } from '../platform/disk.ts'
import type { Settings } from '../settings/settings.ts'
import type { Bitfield } from '../util/bitfield.ts'
import type { PieceIndex } from '../util/flavored.ts'
import type { BlockServer } from './blockServer.ts'

export interface SeedModeHost {
  readonly settings: Readonly<Settings>
  readonly storage: TorrentStorage | null
  readonly server: BlockServer
  hashMatches(piece: PieceIndex, digest: Uint8Array): boolean
  /** A piece is not what it should be: nothing can be taken for granted any more. */
  forceRecheck(): void
}

/** Seeding without having checked: each piece is hashed before its first upload (manual, `seed_mode`). */
export class SeedMode {
  /** The pieces that were verified; null when the torrent is not in seed mode. */
  verified: Bitfield | null = null

  constructor(private readonly host: SeedModeHost) {}

  /** Nobody has hashed `piece` yet, and it is to be. */
  isUnverified(piece: PieceIndex): boolean {
    return this.verified !== null && !this.verified.get(piece) && !this.host.settings.disableHashChecks
  }

  /** Hashes `piece`; `BlockServer.pieceVerified` answers. */
  verifyPiece(piece: PieceIndex): void {
    this.host.storage?.hashPiece(piece)
  }

  onPieceHashed(piece: PieceIndex, digest: Uint8Array | null): void {
    const { host } = this
    const passed = digest !== null && (host.settings.disableHashChecks || host.hashMatches(piece, digest))
    if (passed) this.verified?.set(piece)
    host.server.pieceVerified(piece, passed)
    if (!passed) host.forceRecheck()
    else if (this.verified?.isAllSet) this.verified = null
  }
}
