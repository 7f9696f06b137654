import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { PieceHashes } from '../../../src/disk/store/pieceHashes.ts'

const bytes = (value: number, length = 10) => new Uint8Array(length).fill(value)
const sha1 = (...parts: Uint8Array[]) => createHash('sha1').update(Buffer.concat(parts)).digest()

test('blocks in order are hashed as they come; at a gap the hash waits', () => {
  const hashes = new PieceHashes()
  hashes.written(1, 5, 0, bytes(1))
  hashes.written(1, 5, 10, bytes(2))
  hashes.written(1, 5, 30, bytes(4))
  const { hash, position } = hashes.take(1, 5)
  expect(position).toBe(20)
  expect(hash.digest()).toEqual(sha1(bytes(1), bytes(2)))
  expect(hashes.size).toBe(0)
})

test('a piece that does not begin with its first block has nothing hashed', () => {
  const hashes = new PieceHashes()
  hashes.written(1, 5, 10, bytes(2))
  expect(hashes.size).toBe(0)
  expect(hashes.take(1, 5).position).toBe(0)
})

test('replacing bytes that were hashed gives the hash up', () => {
  const hashes = new PieceHashes()
  hashes.written(1, 5, 0, bytes(1))
  hashes.written(1, 5, 10, bytes(2))
  hashes.written(1, 5, 0, bytes(3))
  expect(hashes.take(1, 5).position).toBe(0)
})

test('pieces and storages do not mix, and each is forgotten alone', () => {
  const hashes = new PieceHashes()
  for (const [storage, piece] of [
    [1, 0],
    [1, 1],
    [2, 0],
  ]) {
    hashes.written(storage, piece, 0, bytes(storage * 10 + piece))
  }
  hashes.clear(1, 1)
  expect(hashes.take(1, 1).position).toBe(0)
  hashes.forgetStorage(2)
  expect(hashes.size).toBe(1)
  expect(hashes.take(1, 0).hash.digest()).toEqual(sha1(bytes(10)))
})

test('beyond the limit the oldest hash is given up', () => {
  const hashes = new PieceHashes(2)
  for (let piece = 0; piece < 3; piece++) hashes.written(1, piece, 0, bytes(piece))
  expect(hashes.size).toBe(2)
  expect(hashes.take(1, 0).position).toBe(0)
  expect(hashes.take(1, 2).position).toBe(10)
})
