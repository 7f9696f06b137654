import { expect } from 'vitest'
import type { SimWorld } from '../../sim/simWorld.ts'
import { type TestFile, TestTorrent } from '../../sim/testTorrent.ts'
import type { PieceIndex } from '../../src/util/flavored.ts'
import { type ClientOptions, SAVE, SimClient } from './client.ts'
import { scenario } from './scenario.ts'

const SIZES = { small: 16 * 1024, normal: 32 * 1024, large: 512 * 1024 }

const ONE_FILE: readonly TestFile[] | undefined = undefined
const MANY_FILES: readonly TestFile[] = [
  { path: 'first', size: 100_000 },
  { path: 'dir/empty', size: 0 },
  { path: 'dir/tiny', size: 1 },
  { path: 'dir/deep/middle', size: 350_001 },
  { path: 'last', size: 600_000 },
]

interface Start {
  readonly what: string
  readonly has: (content: TestTorrent) => Exclude<ClientOptions['has'], undefined>
  /** Content of other bytes is put on the disk first. */
  readonly rubbish?: boolean
  readonly hasPiece: (piece: PieceIndex) => boolean
}

const STARTS: readonly Start[] = [
  { what: 'nothing', has: () => 'none', hasPiece: () => false },
  { what: 'some valid pieces', has: () => (piece) => piece % 3 === 1, hasPiece: (piece) => piece % 3 === 1 },
  { what: 'files of full size with other content', has: () => 'none', rubbish: true, hasPiece: () => false },
]

function downloader(world: SimWorld, content: TestTorrent, start: Start, options: ClientOptions): SimClient {
  const host = world.host('client')
  // Not ours, and to be left alone.
  world.filesOf(host).writeFile('/save/neighbour', Uint8Array.of(1, 2, 3))
  if (start.rubbish) {
    for (const file of content.files) {
      world.filesOf(host).writeFile(`${SAVE}/${file.path}`, new Uint8Array(file.size).fill(0x5a))
    }
  }
  return new SimClient(world, host, content, { has: start.has(content), ...options })
}

for (const [size, pieceLength] of Object.entries(SIZES)) {
  for (const [kind, files] of [
    ['one file', ONE_FILE],
    ['several files', MANY_FILES],
  ] as const) {
    for (const magnet of [false, true]) {
      for (const start of STARTS) {
        scenario(
          `${kind} in ${size} pieces, from ${magnet ? 'a magnet link' : 'a .torrent file'}, with ${start.what} on disk`,
          (world) => {
            const content = new TestTorrent({ size: 1_050_002, files, pieceLength })
            const seed = new SimClient(world, 'seed', content, { has: 'all', up: 1_000_000 })
            const client = downloader(world, content, start, { magnet, add: { peers: [seed.endpoint] } })
            // A check ends all connections, and the next one is a minute away.
            world.runUntil(() => client.torrent.isSeed, { minutes: 3 })
            const pieces = Array.from({ length: content.pieceCount }, (_, piece) => piece)
            const missing = pieces.filter((piece) => !start.hasPiece(piece))
            expect(
              client
                .alerts('pieceFinished')
                .map((alert) => alert.pieceIndex)
                .sort((a, b) => a - b),
            ).toEqual(missing)
            expect(client.torrent.status()).toMatchObject({
              totalPayloadDownload: missing.reduce((sum, piece) => sum + content.piece(piece).length, 0),
              totalFailedBytes: 0,
              totalRedundantBytes: 0,
              progress: 1,
            })
            expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
            expect(world.filesOf(client.host).readFile('/save/neighbour')).toEqual(Uint8Array.of(1, 2, 3))
            expect(world.filesOf(client.host).paths()).toHaveLength(content.files.length + 1)
            expect(client.alerts('hashFailed')).toHaveLength(0)
            expect(client.alerts('torrentFinished')).toHaveLength(1)
            expect(client.alerts('metadataReceived')).toHaveLength(magnet ? 1 : 0)
          },
          { seeds: 1 },
        )
      }
    }
  }
}
