import { describe, expect, test } from 'vitest'
import { SeededRandom } from '../../../sim/seededRandom.ts'
import { PeerSource } from '../../../src/peers/peerSource.ts'
import { FakeConnection, PeerScene } from '../../unit/peers/fakePeers.ts'

describe('strangers flood the peer list', () => {
  test('a hundred thousand made-up peers leave the list at its limit, and known good ones in it', () => {
    const scene = new PeerScene()
    const good = scene.add('9.9.9.9', PeerSource.tracker)
    for (let i = 0; i < 100_000; i++) {
      const address = `${1 + (i % 200)}.${(i >> 4) & 255}.${(i >> 8) & 255}.${i & 255}`
      scene.list.addPeer({ address, port: 6881 }, PeerSource.pex)
    }
    expect(scene.list.size).toBeLessThanOrEqual(3000)
    expect(scene.list.find(good)).toBe(good)
  })

  test('an address that connects a thousand times has one entry and one connection', () => {
    const scene = new PeerScene()
    const first = scene.incoming('6.6.6.6', 10_000)
    const others = Array.from({ length: 1000 }, (_, i) => scene.incoming('6.6.6.6', 10_001 + i))
    expect(first).toBeInstanceOf(FakeConnection)
    expect(new Set(others)).toEqual(new Set(['duplicatePeerId']))
    expect(scene.list.size).toBe(1)
  })

  test('ten thousand addresses that connect once keep out nobody a tracker names', () => {
    const scene = new PeerScene()
    scene.random = new SeededRandom(1)
    for (let i = 0; i < 10_000; i++) {
      const connection = scene.incoming(`6.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 10_000)
      ;(connection as FakeConnection).close(false)
    }
    for (let i = 0; i < 500; i++) scene.add(`9.0.${i >> 8}.${i & 255}`, PeerSource.tracker)
    expect(scene.list.numConnectCandidates).toBe(500)
    expect(scene.list.size).toBeLessThanOrEqual(3000)
  })

  test('connecting and closing again and again from many ports fills nothing when addresses may be several peers', () => {
    const scene = new PeerScene()
    scene.settings.allowMultipleConnectionsPerIp = true
    for (let i = 0; i < 10_000; i++) (scene.incoming('6.6.6.6', 2 + i) as FakeConnection).close(true)
    expect(scene.list.size).toBe(0)
  })
})
