import { expect } from 'vitest'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { BLOCK_SIZE_BYTES } from '../../src/util/flavored.ts'
import { SimClient } from './client.ts'
import { scenario } from './scenario.ts'

scenario('a peer is shown with the part of a block that has come, and since when nothing was asked of it', (world) => {
  const content = new TestTorrent({ size: 20_000, pieceLength: 32 * 1024 })
  const client = new SimClient(world, 'client', content)
  const peer = world.peer('peer', { torrent: content, has: 'all' })
  world.run({ seconds: 1 })
  const connection = peer.connect(client.endpoint)
  world.run({ seconds: 1 })
  const info = () => client.torrent.getPeerInfo()[0]
  const nothing = { downloadingPieceIndex: -1, downloadingBlockIndex: -1, downloadingProgress: 0, downloadingTotal: 0 }
  expect(info()).toMatchObject({ ...nothing, downloadQueueLength: 0, requestTimeout: -1 })
  connection.send((to) => to.unchoke())
  world.run({ seconds: 1 })
  expect(info()).toMatchObject({ ...nothing, downloadQueueLength: 2 })
  connection.send((to) => to.pieceHeader(0, BLOCK_SIZE_BYTES, 20_000 - BLOCK_SIZE_BYTES))
  connection.sendRaw(content.content.subarray(BLOCK_SIZE_BYTES, BLOCK_SIZE_BYTES + 1000))
  world.run({ seconds: 9 })
  expect(info()).toMatchObject({
    downloadingPieceIndex: 0,
    downloadingBlockIndex: 1,
    downloadingProgress: 1000,
    downloadingTotal: 20_000 - BLOCK_SIZE_BYTES,
    downloadQueueLength: 2,
  })
  connection.sendRaw(content.content.subarray(BLOCK_SIZE_BYTES + 1000))
  world.run({ seconds: 2 })
  expect(info()).toMatchObject({ ...nothing, downloadQueueLength: 1 })
  // Both blocks were asked for at once, eleven seconds ago.
  expect(info().lastRequest).toBe(11)
})
