import type { StorageFile } from '../platform/disk.ts'

/** The parts of a torrent that are pad files (BEP 47): always zeros, and never stored. */
export class PadRanges {
  private readonly pads: readonly StorageFile[]

  /** @param files in the order of their offsets. */
  constructor(files: readonly StorageFile[]) {
    this.pads = files.filter((file) => file.pad && file.size > 0)
  }

  /** Zeroes what of `bytes`, which begin at `position` of the torrent, is padding; true when all of them are. */
  zero(position: number, bytes: Uint8Array): boolean {
    const end = position + bytes.length
    let zeroed = 0
    for (let i = this.firstEndingAfter(position); i < this.pads.length && this.pads[i].offset < end; i++) {
      const { offset, size } = this.pads[i]
      const from = Math.max(0, offset - position)
      const to = Math.min(bytes.length, offset + size - position)
      bytes.fill(0, from, to)
      zeroed += to - from
    }
    return zeroed === bytes.length
  }

  private firstEndingAfter(position: number): number {
    let low = 0
    let high = this.pads.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.pads[middle].offset + this.pads[middle].size > position) high = middle
      else low = middle + 1
    }
    return low
  }
}
