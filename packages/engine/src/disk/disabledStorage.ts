import type { PieceIndex } from '../util/flavored.ts'
import type { StorageInterface } from './storageInterface.ts'

/**
 * Stores nothing: writes are dropped, and reads give zeros. For measuring the network without the disk
 * (libtorrent's `disabled_disk_io`).
 */
export class DisabledStorage implements StorageInterface {
  read(_piece: PieceIndex, _offset: number, target: Uint8Array): void {
    target.fill(0)
  }

  write(): void {}
}
