import { expect, test } from 'vitest'
import { SharedBlockPool } from '../../../src/disk/blockPool.ts'
import { CongestionGate } from '../../../src/disk/congestionGate.ts'
import { BLOCK_SIZE_BYTES } from '../../../src/util/flavored.ts'

function scene(slots: number, limit: number) {
  const pool = new SharedBlockPool(slots * BLOCK_SIZE_BYTES)
  const deferred: (() => void)[] = []
  const gate = new CongestionGate(pool, (callback) => deferred.push(callback), limit)
  const endTurn = () => {
    for (const callback of deferred.splice(0)) callback()
  }
  return { pool, gate, endTurn }
}

test('peers stop at max_queued_disk_bytes and go on at half of it', () => {
  const { gate, endTurn } = scene(64, 1000)
  let woken = 0
  gate.add(999)
  expect(gate.isCongested).toBe(false)
  gate.add(1)
  expect(gate.isCongested).toBe(true)
  gate.whenWritable(() => woken++)
  gate.subtract(499)
  gate.update()
  endTurn()
  expect(woken).toBe(0)
  gate.subtract(1)
  gate.update()
  expect(woken).toBe(0)
  endTurn()
  expect(woken).toBe(1)
})

test('a limit below one block still lets one block through at a time', () => {
  const { gate } = scene(64, 0)
  expect(gate.isCongested).toBe(false)
  gate.add(BLOCK_SIZE_BYTES)
  expect(gate.isCongested).toBe(true)
})

test('peers stop while a reserve of slots is left, but use it when no write will free any', () => {
  const { pool, gate } = scene(32, 1e9)
  const reserve = 32 / 16
  gate.add(1)
  for (let i = 0; i < 32 - reserve; i++) pool.acquire()
  expect(gate.isCongested).toBe(false)
  pool.acquire()
  expect(gate.isCongested).toBe(true)
  gate.subtract(1)
  expect(gate.isCongested).toBe(false)
  pool.acquire()
  expect(gate.isCongested).toBe(true)
})

test('without congestion the callback comes at the end of the turn, once', () => {
  const { gate, endTurn } = scene(32, 1000)
  let woken = 0
  gate.whenWritable(() => woken++)
  expect(woken).toBe(0)
  endTurn()
  gate.update()
  endTurn()
  expect(woken).toBe(1)
})

test('a cancelled callback is not called, even when cancelled by the one before it', () => {
  const { gate, endTurn } = scene(32, 1000)
  const log: string[] = []
  gate.add(1000)
  gate.whenWritable(() => {
    log.push('first')
    cancelSecond()
  })
  const cancelSecond = gate.whenWritable(() => log.push('second'))
  const cancelThird = gate.whenWritable(() => log.push('third'))
  cancelThird()
  gate.subtract(1000)
  gate.update()
  endTurn()
  expect(log).toEqual(['first'])
})

test('raising the limit wakes those who wait', () => {
  const { gate, endTurn } = scene(32, 1000)
  let woken = false
  gate.add(1500)
  gate.whenWritable(() => {
    woken = true
  })
  gate.setLimit(3000)
  endTurn()
  expect(woken).toBe(true)
})
