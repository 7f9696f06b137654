import { expect } from 'vitest'
import type { PeerMessage } from '../../sim/simPeer.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { SimClient } from './client.ts'
import { scenario } from './scenario.ts'

const BLOCK = 16_384

function blocksOf(messages: readonly PeerMessage[]): string[] {
  return messages.map(({ piece, begin }) => `${piece}:${begin}`)
}

scenario(
  'no block is asked twice while one was never asked; then it is, and what is no longer needed is cancelled',
  (world) => {
    const torrent = new TestTorrent({ size: 40 * BLOCK })
    const client = new SimClient(world, 'client', torrent)
    // One is ten times as fast as the other.
    const quick = world.peer('quick', { torrent, has: 'all', serves: true, up: 100_000 })
    const slow = world.peer('slow', { torrent, has: 'all', serves: true, up: 3_000, socketBuffer: 4096 })
    const asked: string[] = []
    const late: boolean[] = []
    for (const peer of [quick, slow]) {
      client.torrent.connectPeer(peer.listen())
      peer.onMessage = (message) => {
        if (message.name !== 'request') return
        const block = `${message.piece}:${message.begin}`
        if (asked.includes(block)) late.push(new Set(asked).size === 40)
        asked.push(block)
      }
    }
    world.runUntil(() => client.torrent.isSeed, { minutes: 5 })
    expect(new Set(asked).size).toBe(40)
    expect(late.length).toBeGreaterThan(0)
    expect(late.every(Boolean)).toBe(true)
    const cancelled = [...quick.connection.received('cancel'), ...slow.connection.received('cancel')]
    expect(cancelled.length).toBeGreaterThan(0)
    for (const block of blocksOf(cancelled)) expect(asked.filter((each) => each === block).length).toBe(2)
  },
)

scenario('a block that comes twice in the end game is written once, and counted as redundant', (world) => {
  const torrent = new TestTorrent({ size: 4 * BLOCK })
  const client = new SimClient(world, 'client', torrent)
  const seeds = ['a', 'b', 'c'].map((name) => world.peer(name, { torrent, has: 'all', serves: true, answerDelay: 500 }))
  for (const seed of seeds) client.torrent.connectPeer(seed.listen())
  world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
  expect(torrent.isOn(world.filesOf(client.host), '/save')).toBe(true)
  world.run({ seconds: 2 })
  const status = client.torrent.status()
  expect(status.totalRedundantBytes).toBe(status.totalPayloadDownload - torrent.totalSize)
  expect(client.alerts('pieceFinished').length).toBe(2)
})
