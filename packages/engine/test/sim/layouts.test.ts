import { expect } from 'vitest'
import { type TestFile, TestTorrent } from '../../sim/testTorrent.ts'
import { BLOCK_SIZE_BYTES } from '../../src/util/flavored.ts'
import { SAVE, SimClient, seedOf } from './client.ts'
import { scenario } from './scenario.ts'

const PIECE = 32 * 1024

const LAYOUTS: Readonly<Record<string, { files: readonly TestFile[]; pieceLength?: number }>> = {
  'a pad file at the end': {
    files: [
      { path: 'a', size: PIECE - 100 },
      { path: 'p', size: 100, pad: true },
    ],
  },
  'a pad file of odd size': {
    files: [
      { path: 'a', size: 3 * PIECE - 1333 },
      { path: 'p', size: 1333, pad: true },
      { path: 'b', size: 2 * PIECE + 9 },
    ],
  },
  'pad files that do not align': {
    files: [
      { path: 'a', size: PIECE + 10 },
      { path: 'p', size: 17, pad: true },
      { path: 'b', size: 2 * PIECE },
    ],
  },
  'a pad file as large as a piece': {
    files: [
      { path: 'a', size: PIECE },
      { path: 'p', size: PIECE, pad: true },
      { path: 'b', size: PIECE },
    ],
  },
  'a pad file as large as a block': {
    files: [
      { path: 'a', size: BLOCK_SIZE_BYTES },
      { path: 'p', size: BLOCK_SIZE_BYTES, pad: true },
      { path: 'b', size: PIECE },
    ],
  },
  'pad files of several pieces, back to back': {
    files: [
      { path: 'a', size: PIECE + 1 },
      { path: 'p', size: 5 * PIECE, pad: true },
      { path: 'q', size: 3 * PIECE - 1, pad: true },
      { path: 'b', size: 2 * PIECE },
    ],
  },
  'pieces smaller than a block': {
    pieceLength: 1024,
    files: [
      { path: 'a', size: 50_000 },
      { path: 'b', size: 7 },
    ],
  },
  'pieces that are no multiple of a block': { pieceLength: 24 * 1024 + 16, files: [{ path: 'a', size: 300_001 }] },
  'a tiny file in a large piece': { pieceLength: 16 * 1024 * 1024, files: [{ path: 'a', size: 1 }] },
  'one piece exactly': { files: [{ path: 'a', size: PIECE }] },
  'an empty file among others': {
    files: [
      { path: 'empty', size: 0 },
      { path: 'a', size: PIECE },
      { path: 'dir/empty', size: 0 },
    ],
  },
  'files of one byte': {
    pieceLength: 16 * 1024,
    files: Array.from({ length: 200 }, (_, i) => ({ path: `${i}`, size: 1 + (i % 3) })),
  },
}

for (const [what, { files, pieceLength }] of Object.entries(LAYOUTS)) {
  scenario(
    `${what}: everything arrives, and a recheck agrees`,
    (world) => {
      const content = new TestTorrent({ files, pieceLength })
      const seed = seedOf(world, content)
      const client = new SimClient(world, 'client', content, { add: { peers: [seed.endpoint] } })
      world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
      expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
      const expected = content.files.filter((file) => !file.pad).map((file) => `${SAVE}/${file.path}`)
      expect(world.filesOf(client.host).paths()).toEqual(expected.sort())
      client.torrent.forceRecheck()
      world.runUntil(() => client.alerts('torrentChecked').length === 2, { minutes: 1 })
      expect(client.torrent.isSeed).toBe(true)
    },
    { seeds: 2 },
  )
}

scenario(
  'pieces of 16 MiB arrive',
  (world) => {
    const content = new TestTorrent({ size: 18 * 1024 * 1024, pieceLength: 16 * 1024 * 1024 })
    const seed = seedOf(world, content)
    const client = new SimClient(world, 'client', content, { add: { peers: [seed.endpoint] } })
    world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
    expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
  },
  { seeds: 1 },
)
