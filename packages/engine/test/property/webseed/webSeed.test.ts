import fc from 'fast-check'
import { expect, test } from 'vitest'
import { systemError } from '../../../src/errors/libtorrentError.ts'
import { PieceLayout } from '../../../src/metainfo/pieceLayout.ts'
import { blockOffset, coalesceBlocks } from '../../../src/webseed/segment.ts'
import type { FakeAnswer } from '../../unit/webseed/fakeServer.ts'
import { serve, webSeedScene } from '../../unit/webseed/scene.ts'

const FAULTS = ['none', 'none', 'none', 'reset', 'busy', 'short', 'garbage length', 'whole file'] as const

function faulty(answer: FakeAnswer, fault: (typeof FAULTS)[number], whole: FakeAnswer): FakeAnswer {
  const body = answer.body ?? new Uint8Array(0)
  switch (fault) {
    case 'reset':
      return { ...answer, body: body.subarray(0, body.length >> 1), error: systemError({ code: 'ECONNRESET' }) }
    case 'busy':
      return { status: 503, headers: { 'retry-after': '3' } }
    case 'short':
      return { ...answer, body: body.subarray(0, body.length - 1) }
    case 'garbage length':
      return { ...answer, headers: { ...answer.headers, 'content-length': 'x' } }
    case 'whole file':
      return whole
    default:
      return answer
  }
}

test('whatever the files, the chunks, the slots and the faults: every block comes once, right, and nothing is left', () => {
  const file = fc.record({ size: fc.integer({ min: 0, max: 90_000 }), pad: fc.boolean() })
  const plan = fc.record({
    files: fc.array(file, { minLength: 1, maxLength: 6 }),
    pieceLength: fc.constantFrom(16_384, 32_768, 65_536, 20_000),
    chunk: fc.integer({ min: 500, max: 70_000 }),
    slots: fc.integer({ min: 1, max: 40 }),
    pipeline: fc.integer({ min: 1, max: 5 }),
    maxRequest: fc.constantFrom(16_384, 50_000, 1 << 20),
    missing: fc.nat(9),
    faults: fc.array(fc.constantFrom(...FAULTS), { maxLength: 12 }),
  })
  fc.assert(
    fc.property(plan, ({ files, pieceLength, chunk, slots, pipeline, maxRequest, missing, faults }) => {
      fc.pre(files.reduce((sum, { size }) => sum + size, 0) > 0)
      const content = files.map(({ size, pad }, i) => ({ path: `f${i}`, size, pad: pad && i > 0 }))
      const scene = webSeedScene({
        content,
        pieceLength,
        slots,
        settings: { urlseedPipelineSize: pipeline, urlseedMaxRequestBytes: maxRequest, urlseedWaitRetry: 1 },
        respond: (request, n, torrent) => {
          if (request.url.endsWith(`/f${missing}`)) return { status: 404 }
          const whole = serve(torrent, { ...request, headers: {} })
          return { ...faulty(serve(torrent, request), faults[n] ?? 'none', whole), chunk }
        },
      })
      for (const { pad, offset, size } of scene.torrent.files) {
        if (pad) scene.torrent.content.fill(0, offset, offset + size)
      }
      const { leecher, time, seed, http } = scene
      leecher.keepSlots = true
      for (let i = 0; i < 600 && !leecher.isDone; i++) {
        // Each failure in a row doubles the wait.
        time.pass(i < 200 ? 1000 : 10_000)
        leecher.releaseKept()
      }
      expect(leecher.isDone).toBe(true)
      time.pass(120_000)
      leecher.releaseKept()
      expect(leecher.isCorrect).toBe(true)
      expect(leecher.leftovers).toEqual({ slots: 0, asked: 0 })
      expect(http.active).toBe(0)
      expect(http.mostActive).toBeLessThanOrEqual(pipeline)
      seed.close()
      expect(time.pending).toBe(0)
    }),
    { numRuns: 150 },
  )
})

test('coalesced ranges hold exactly the blocks, apart from one another unless they are full', () => {
  const layout = fc
    .tuple(fc.integer({ min: 1, max: 400_000 }), fc.constantFrom(16_384, 32_768, 40_000))
    .map(([size, pieceLength]) => new PieceLayout(size, pieceLength))
  fc.assert(
    fc.property(
      layout,
      fc.infiniteStream(fc.boolean()),
      fc.constantFrom(16_384, 40_000, 1e9),
      (pieces, chosen, most) => {
        const blocks: number[] = []
        for (let piece = 0; piece < pieces.numPieces; piece++) {
          for (let block = 0; block < pieces.blocksInPiece(piece); block++) {
            if (chosen.next().value) blocks.push(pieces.blockId(piece, block))
          }
        }
        const ranges = coalesceBlocks([...blocks].reverse(), pieces, most)
        const covered = new Set<number>()
        for (const { offset, length } of ranges) {
          expect(length).toBeLessThanOrEqual(most)
          for (let at = offset; at < offset + length; at += 1000) covered.add(at)
        }
        const size = (id: number) => pieces.blockSize(pieces.pieceOf(id), pieces.blockOf(id))
        expect(ranges.reduce((sum, { length }) => sum + length, 0)).toBe(blocks.reduce((sum, id) => sum + size(id), 0))
        for (const id of blocks) {
          const offset = blockOffset(pieces, id)
          expect(
            ranges.some((range) => range.offset <= offset && offset + size(id) <= range.offset + range.length),
          ).toBe(true)
        }
        for (let i = 1; i < ranges.length; i++) {
          const gap = ranges[i].offset - (ranges[i - 1].offset + ranges[i - 1].length)
          expect(gap).toBeGreaterThanOrEqual(0)
          if (gap === 0) expect(ranges[i - 1].length + 16_384).toBeGreaterThan(most - 16_384)
        }
      },
    ),
  )
})
