import { makeTorrentFixture, type TorrentFixture } from '../lib/torrentFixture.ts'

const KIB = 1024
const MIB = 1024 * KIB

/** 40 files of sizes around the block and piece sizes, empty ones included, in nested directories. */
const MANY_FILES = Array.from({ length: 40 }, (_, i) => {
  const sizes = [0, 1, 16 * KIB - 1, 16 * KIB, 16 * KIB + 1, 32 * KIB, 100_003, 250_007]
  const directory = ['', 'a/', 'a/b c/', 'ünï/'][i % 4] ?? ''
  return { path: `${directory}file ${i}.bin`, size: sizes[(i * 3) % sizes.length] ?? 0 }
})

/** The contents the cases use: made once a run below `root`. */
export function makeContents(root: string): ReadonlyMap<string, TorrentFixture> {
  const make = (name: string, options: Omit<Parameters<typeof makeTorrentFixture>[1], 'name'>) =>
    [name, makeTorrentFixture(root, { name, ...options })] as const
  return new Map([
    make('single', { single: true, files: [{ path: 'single', size: 5 * MIB + 12_345 }], pieceLength: 64 * KIB }),
    make('many', { files: MANY_FILES, pieceLength: 32 * KIB }),
    make('tiny', { single: true, files: [{ path: 'tiny', size: 1000 }], pieceLength: 16 * KIB }),
    make('large', { single: true, files: [{ path: 'large', size: 24 * MIB + 77 }], pieceLength: 256 * KIB }),
  ])
}
