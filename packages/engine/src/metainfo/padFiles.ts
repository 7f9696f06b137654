import { FileFlags } from './fileEntry.ts'

/** One place in a reordered file list: a file by its old index, or that many bytes of padding. */
export type OrderedItem = { readonly file: number } | { readonly padding: number }

/**
 * The order and padding libtorrent 1.0 chooses for new torrents: wherever the next byte is aligned, the largest file
 * left; elsewhere a file larger than `padFileLimit` (never, when that is negative) is preceded by the largest file that
 * fits in the gap and need not be aligned itself, or else by a pad file.
 *
 * Files are kept in two structures, so that 100,000 of them need no quadratic search: the order they came in, and a
 * list sorted by size. Equal sizes keep their order.
 */
export function optimizedOrder(
  sizes: readonly number[],
  flags: readonly number[],
  padFileLimit: number,
  alignment: number,
): OrderedItem[] {
  const order: OrderedItem[] = []
  const bySize = sizes.map((_, index) => index).sort((a, b) => sizes[b] - sizes[a] || a - b)
  const taken = new Uint8Array(sizes.length)
  let largest = 0
  let first = 0
  let offset = 0

  const take = (file: number) => {
    taken[file] = 1
    order.push({ file })
    offset += sizes[file]
  }

  for (;;) {
    while (first < sizes.length && taken[first] === 1) first++
    if (first === sizes.length) return order
    const gap = alignment > 0 ? (alignment - (offset % alignment)) % alignment : 0
    if (gap === 0) {
      while (taken[bySize[largest]] === 1) largest++
      take(bySize[largest])
      continue
    }
    const isPad = (flags[first] & FileFlags.padFile) !== 0
    if (padFileLimit < 0 || sizes[first] <= padFileLimit || isPad) {
      take(first)
      continue
    }
    const filler = largestThatFits(bySize, sizes, taken, Math.min(gap, padFileLimit))
    if (filler >= 0 && sizes[filler] > 0) {
      take(filler)
    } else {
      order.push({ padding: gap })
      offset += gap
    }
  }
}

/** The largest file not taken yet of at most `limit` bytes, or -1. `bySize` is sorted downwards. */
function largestThatFits(
  bySize: readonly number[],
  sizes: readonly number[],
  taken: Uint8Array,
  limit: number,
): number {
  let low = 0
  let high = bySize.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sizes[bySize[middle]] > limit) low = middle + 1
    else high = middle
  }
  for (let i = low; i < bySize.length; i++) if (taken[bySize[i]] === 0) return bySize[i]
  return -1
}
