import { expect, test } from 'vitest'
import { announceBatch, announcedBatch, BATCH_JOBS, isCheckBatch, JobBatch, JobOp } from '../../../src/disk/jobBatch.ts'

test('what one side puts into a batch the other side finds in the shared memory', () => {
  const sent = new JobBatch(7)
  sent.add(JobOp.write, 3, 2 ** 21, 16 * 2 ** 20 - 1, 16384, 4095, 0, 16384)
  sent.add(JobOp.read, 4, 0, 5, 6, 7, 2 ** 40 + 2 ** 31 + 9, 6)
  const received = new JobBatch(7, sent.memory)
  expect(received.op(0)).toBe(JobOp.write)
  expect(received.storage(0)).toBe(3)
  expect(received.piece(0)).toBe(2 ** 21)
  expect(received.offset(0)).toBe(16 * 2 ** 20 - 1)
  expect(received.length(0)).toBe(16384)
  expect(received.slot(0)).toBe(4095)
  expect(received.op(1)).toBe(JobOp.read)
  expect(received.token(1)).toBe(2 ** 40 + 2 ** 31 + 9)
  expect(sent.weight).toBe(16390)
})

test('an error and a digest come back without disturbing what identifies the job', () => {
  const batch = new JobBatch(0)
  batch.add(JobOp.hash, 1, 99, 0, 0, -1, 0, 0)
  batch.add(JobOp.hash, 1, 100, 0, 0, -1, 0, 0)
  const digest = Uint8Array.from({ length: 20 }, (_, i) => 255 - i)
  batch.add(JobOp.hashBlock, 1, 101, 5 * 16384, 16384, -1, 0, 0)
  batch.setDigest(0, digest)
  batch.setDigest(2, digest)
  batch.setError(1, 256)
  expect(batch.digest(0)).toEqual(digest)
  expect(batch.error(0)).toBe(0)
  expect([batch.storage(0), batch.piece(0)]).toEqual([1, 99])
  expect([batch.op(1), batch.piece(1), batch.error(1)]).toEqual([JobOp.hash, 100, 256])
  expect([batch.op(2), batch.piece(2), batch.offset(2)]).toEqual([JobOp.hashBlock, 101, 5 * 16384])
  expect(batch.digest(2)).toEqual(digest)
})

test('a batch is announced by one number', () => {
  const batch = new JobBatch(1234)
  for (let i = 0; i < BATCH_JOBS; i++) batch.add(JobOp.clear, 0, i, 0, 0, -1, 0, 0)
  expect(announcedBatch(announceBatch(batch))).toEqual({ id: 1234, count: BATCH_JOBS })
  expect(announcedBatch(announceBatch(batch, true))).toEqual({ id: 1234, count: BATCH_JOBS })
  expect([announceBatch(batch), announceBatch(batch, true)].map(isCheckBatch)).toEqual([false, true])
})
