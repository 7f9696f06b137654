import { expect, test } from 'vitest'
import { SharedBlockPool } from '../../../src/disk/blockPool.ts'
import { PieceLayout } from '../../../src/metainfo/pieceLayout.ts'
import type { PeerConnection } from '../../../src/peer/peerConnection.ts'
import { PeerDownload } from '../../../src/peer/peerDownload.ts'
import { BLOCK_SIZE_BYTES } from '../../../src/util/flavored.ts'

function scene() {
  const blocks: number[] = []
  const pool = new SharedBlockPool()
  const download = new PeerDownload({} as PeerConnection, {
    pool,
    isDiskCongested: false,
    layout: new PieceLayout(BLOCK_SIZE_BYTES * 4, BLOCK_SIZE_BYTES * 2),
    wantsBlock: () => true,
    onPeerBlock: (_peer, blockId, slot) => {
      blocks.push(blockId)
      pool.release(slot)
    },
    onPeerUnsnubbed: () => {},
    onPeerRedundantBytes: () => {},
  })
  const receive = (begin: number, length: number) => {
    download.begin(0, begin, length)
    download.bytes(new Uint8Array(length), 0, length, 0)
    download.end(1)
  }
  return { blocks, pool, download, receive }
}

test('half a block answers no request: it stays outstanding, until the whole block comes', () => {
  const { blocks, pool, download, receive } = scene()
  download.asked(0, 0)
  receive(0, BLOCK_SIZE_BYTES / 2)
  expect([download.requests.length, blocks]).toEqual([1, []])
  receive(0, BLOCK_SIZE_BYTES)
  expect([download.requests.length, blocks]).toEqual([0, [0]])
  expect(pool.inUse).toBe(0)
})
