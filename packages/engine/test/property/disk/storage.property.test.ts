import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SharedBlockPool } from '../../../src/disk/blockPool.ts'
import { inlineDiskIo } from '../../../src/disk/inlineDiskIo.ts'
import { MemoryStorage } from '../../../src/disk/memoryStorage.ts'
import { BLOCK_SIZE_BYTES } from '../../../src/util/flavored.ts'
import {
  contentOf,
  expectBytes,
  paramsFor,
  pieceOf,
  StorageDriver,
  sha1Of,
} from '../../integration/disk/storageDriver.ts'

const BLOCK = BLOCK_SIZE_BYTES
const defer = (callback: () => void) => void setImmediate(callback)

const layouts = fc.record({
  files: fc.array(
    fc.record({
      size: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2 * BLOCK })),
      pad: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
    }),
    { minLength: 1, maxLength: 12 },
  ),
  blocksPerPiece: fc.integer({ min: 1, max: 5 }),
  workers: fc.integer({ min: 1, max: 3 }),
  openFiles: fc.integer({ min: 1, max: 4 }),
  inMemory: fc.boolean(),
})

type Step =
  | { readonly kind: 'write'; readonly at: number; readonly right: boolean }
  | { readonly kind: 'read'; readonly at: number; readonly length: number }
  | { readonly kind: 'hash' | 'clear'; readonly at: number }
  | { readonly kind: 'release' | 'flush' | 'turn' }

/** `at` is a fraction of the torrent. */
const at = fc.double({ min: 0, max: 0.999, noNaN: true })
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 10, arbitrary: fc.record({ kind: fc.constant('write' as const), at, right: fc.boolean() }) },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('read' as const), at, length: fc.integer({ min: 1, max: BLOCK }) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('hash' as const, 'clear' as const), at }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constantFrom('release' as const, 'flush' as const, 'turn' as const) }),
    },
  ),
  { maxLength: 40 },
)

/**
 * Any history of writes in any order, right and wrong bytes, reads, hashes and closed files in between: reads give
 * what was written last, and after the right bytes are complete every piece has the hash of those bytes.
 */
test('a storage behaves like an array of bytes', async () => {
  await fc.assert(
    fc.asyncProperty(layouts, steps, async ({ files, blocksPerPiece, workers, openFiles, inMemory }, history) => {
      const directory = mkdtempSync(join(tmpdir(), 'lt-disk-'))
      // enough that no read waits for a slot: one that does may be overtaken by a later write
      const pool = new SharedBlockPool(256 * BLOCK)
      const disk = inlineDiskIo({ pool, defer, workerCount: workers, filePoolSize: openFiles * workers })
      const pieceLength = blocksPerPiece * BLOCK
      const params = paramsFor(
        directory,
        files.map((file, i) => ({ ...file, path: `d${i % 3}/f${i}` })),
        pieceLength,
      )
      const driver = new StorageDriver(pool, params)
      driver.storage = inMemory
        ? disk.openCustomStorage(params, driver, new MemoryStorage(params))
        : disk.openStorage(params, driver)
      const total = params.totalSize
      const right = contentOf(total, 3)
      const wrong = contentOf(total, 4)
      const model = new Uint8Array(total)
      for (const file of params.files) {
        if (file.pad) for (const bytes of [right, wrong]) bytes.fill(0, file.offset, file.offset + file.size)
      }
      const answers: Promise<unknown>[] = []
      const blockAt = (fraction: number) => {
        const position = Math.floor(Math.floor(fraction * total) / BLOCK) * BLOCK
        const piece = Math.floor(position / pieceLength)
        return { position, piece, offset: position - piece * pieceLength, length: Math.min(BLOCK, total - position) }
      }
      const write = (position: number, from: Uint8Array) => {
        const { piece, offset, length } = blockAt((position + 0.5) / total)
        const bytes = from.subarray(position, position + length)
        model.set(bytes, position)
        written.add(position)
        answers.push(driver.write(piece, offset, bytes).then((error) => expect(error).toBeNull()))
      }
      const written = new Set<number>()
      try {
        for (const step of total === 0 ? [] : history) {
          if (step.kind === 'write') {
            write(blockAt(step.at).position, step.right ? right : wrong)
          } else if (step.kind === 'read') {
            const { position, piece, offset, length } = blockAt(step.at)
            if (!written.has(position)) continue
            const wanted = Math.min(step.length, length)
            const expected = model.slice(position, position + wanted)
            answers.push(driver.read(piece, offset, wanted).then((bytes) => expectBytes(bytes, expected)))
          } else if (step.kind === 'hash') {
            const { piece } = blockAt(step.at)
            const start = piece * pieceLength
            const whole = pieceOf(model, pieceLength, piece)
            let complete = true
            for (let p = start; p < start + whole.length; p += BLOCK) complete &&= written.has(p)
            const expected = complete ? sha1Of(whole) : null
            const hash = driver.hash(piece)
            answers.push(hash.then((digest) => expected !== null && expect(digest).toEqual(expected)))
          } else if (step.kind === 'clear') {
            driver.storage.clearPiece(blockAt(step.at).piece)
          } else if (step.kind === 'turn') {
            await new Promise(setImmediate)
          } else {
            answers.push(driver[step.kind]().then((error) => expect(error).toBeNull()))
          }
        }
        for (let position = 0; position < total; position += BLOCK) {
          const end = position + BLOCK
          const isRight = Buffer.compare(model.subarray(position, end), right.subarray(position, end)) === 0
          if (!isRight || !written.has(position)) write(position, right)
        }
        await Promise.all(answers)
        for (let piece = 0; piece * pieceLength < total; piece++) {
          expect(await driver.hash(piece)).toEqual(sha1Of(pieceOf(right, pieceLength, piece)))
        }
        await driver.close()
        expect(pool.inUse).toBe(0)
        expect(disk.queuedWriteBytes).toBe(0)
      } finally {
        await new Promise<void>((resolve) => disk.stop(resolve))
        rmSync(directory, { recursive: true })
      }
    }),
    { numRuns: 50 },
  )
})
