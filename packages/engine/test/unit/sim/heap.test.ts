import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Heap } from '../../../src/util/heap.ts'

test('whatever goes in comes out sorted', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (numbers) => {
      const heap = new Heap<number>((a, b) => a < b)
      for (const n of numbers) heap.push(n)
      expect(heap.size).toBe(numbers.length)
      const out: number[] = []
      for (let n = heap.pop(); n !== undefined; n = heap.pop()) out.push(n)
      expect(out).toEqual([...numbers].sort((a, b) => a - b))
    }),
  )
})

test('retain drops some and keeps the order of the rest', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(100)), fc.nat(100), (numbers, limit) => {
      const heap = new Heap<number>((a, b) => a < b)
      for (const n of numbers) heap.push(n)
      heap.retain((n) => n <= limit)
      const kept = numbers.filter((n) => n <= limit).sort((a, b) => a - b)
      expect(heap.peek()).toBe(kept[0])
      expect(Array.from({ length: kept.length }, () => heap.pop())).toEqual(kept)
      expect(heap.pop()).toBeUndefined()
    }),
  )
})
