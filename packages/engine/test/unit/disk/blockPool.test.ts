import { expect, test } from 'vitest'
import { SharedBlockPool } from '../../../src/disk/blockPool.ts'
import { BLOCK_SIZE_BYTES } from '../../../src/util/flavored.ts'

const poolOf = (slots: number) => new SharedBlockPool(slots * BLOCK_SIZE_BYTES)

test('a pool hands out each slot once, then -1, and again after a release', () => {
  const pool = poolOf(3)
  expect(new Set([pool.acquire(), pool.acquire(), pool.acquire()])).toEqual(new Set([0, 1, 2]))
  expect(pool.acquire()).toBe(-1)
  expect(pool.inUse).toBe(3)
  pool.release(1)
  expect(pool.acquire()).toBe(1)
})

test('the slot released last is used next, so that few slots stay hot', () => {
  const pool = poolOf(100)
  const first = pool.acquire()
  pool.release(first)
  for (let i = 0; i < 10; i++) {
    const slot = pool.acquire()
    expect(slot).toBe(first)
    pool.release(slot)
  }
})

test('releasing a slot twice, or one that does not exist, is a programming error', () => {
  const pool = poolOf(2)
  const slot = pool.acquire()
  pool.release(slot)
  expect(() => pool.release(slot)).toThrow(/twice/)
  expect(() => pool.release(2)).toThrow(RangeError)
  expect(() => pool.release(-1)).toThrow(RangeError)
})

test('the view of a slot is one object, 16 KiB of the shared memory', () => {
  const pool = poolOf(2)
  const view = pool.bytes(1)
  expect(pool.bytes(1)).toBe(view)
  expect(view.length).toBe(BLOCK_SIZE_BYTES)
  view[0] = 42
  expect(new Uint8Array(pool.memory)[BLOCK_SIZE_BYTES]).toBe(42)
  expect(() => pool.bytes(2)).toThrow(RangeError)
})

test('reads get no more than half of the slots, so that downloads go on while uploads are slow', () => {
  const pool = poolOf(8)
  const reads = Array.from({ length: 4 }, () => pool.acquireForRead())
  expect(pool.acquireForRead()).toBe(-1)
  expect(pool.acquire()).toBeGreaterThanOrEqual(0)
  pool.release(reads[0])
  expect(pool.acquireForRead()).toBeGreaterThanOrEqual(0)
})

test('even a pool of one slot can be read into', () => {
  expect(poolOf(1).acquireForRead()).toBe(0)
  expect(() => poolOf(0)).toThrow(RangeError)
})
