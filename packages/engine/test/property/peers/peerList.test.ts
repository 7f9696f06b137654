import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PeerSource } from '../../../src/peers/peerSource.ts'
import type { TorrentPeer } from '../../../src/peers/torrentPeer.ts'
import { type FakeConnection, PeerScene } from '../../unit/peers/fakePeers.ts'

const address = fc.nat({ max: 15 }).map((i) => `1.0.0.${i}`)
const port = fc.integer({ min: 6881, max: 6883 })
const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), address, port, source: fc.constantFrom(1, 2, 4, 8, 16) }),
  fc.record({ do: fc.constant('incoming' as const), address, port }),
  fc.record({ do: fc.constant('connect' as const) }),
  fc.record({ do: fc.constant('close' as const), failed: fc.boolean() }),
  fc.record({ do: fc.constant('fail' as const), address, port }),
  fc.record({ do: fc.constant('ban' as const), address, port }),
  fc.record({ do: fc.constant('erase' as const), address, port }),
  fc.record({ do: fc.constant('seed' as const), address, port, isSeed: fc.boolean() }),
  fc.record({ do: fc.constant('listens' as const), port }),
  fc.record({ do: fc.constant('finish' as const), isFinished: fc.boolean() }),
  fc.record({ do: fc.constant('wait' as const), seconds: fc.nat({ max: 300 }) }),
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** A scene that takes steps, and knows which connections stand. */
class History extends PeerScene {
  private standing(): FakeConnection[] {
    return [...this.list].flatMap((peer) => peer.connection ?? [])
  }

  take(step: Step): void {
    const known = (): TorrentPeer<FakeConnection> | null =>
      'address' in step && 'port' in step ? this.list.find(step) : null
    switch (step.do) {
      case 'add':
        this.list.addPeer(step, step.source)
        break
      case 'incoming':
        this.incoming(step.address, step.port)
        break
      case 'connect': {
        const peer = this.list.connectOnePeer(this.now)
        if (peer === null) break
        expect(peer).toMatchObject({ connection: null, banned: false, connectable: true })
        expect(this.isFinished && peer.seed).toBe(false)
        this.connect(peer)
        break
      }
      case 'close':
        this.standing()[0]?.close(step.failed)
        break
      case 'fail':
        if (known() !== null) this.list.incFailcount(known()!)
        break
      case 'ban':
        if (known() !== null) this.list.ban(known()!)
        break
      case 'erase':
        if (known() !== null && known()!.connection === null) this.list.erase(known()!)
        break
      case 'seed':
        if (known() !== null) this.list.setSeed(known()!, step.isSeed)
        break
      case 'listens': {
        const incoming = this.standing().find((connection) => !connection.isOutgoing)
        if (incoming !== undefined) this.list.updatePeerPort(incoming.entry!, step.port, 32)
        break
      }
      case 'finish':
        this.isFinished = step.isFinished
        break
      case 'wait':
        this.now += step.seconds * 1000
    }
  }

  check(): void {
    const peers = [...this.list]
    expect(peers.map((peer) => peer.listIndex)).toEqual(peers.map((_, i) => i))
    expect(this.list.numConnectCandidates).toBe(peers.filter((peer) => this.list.isConnectCandidate(peer)).length)
    expect(this.list.numSeeds).toBe(peers.filter((peer) => peer.seed).length)
    expect(this.list.size).toBeLessThanOrEqual(this.settings.maxPeerlistSize)
    const keys = peers.map((peer) =>
      this.settings.allowMultipleConnectionsPerIp ? `${peer.address}:${peer.port}` : peer.address,
    )
    expect(new Set(keys).size).toBe(keys.length)
    for (const peer of peers) expect(this.list.find(peer)).toBe(peer)
    for (const peer of peers) expect(peer.connection?.entry ?? peer).toBe(peer)
  }

  /** A full list takes a new peer exactly if it knows one that is of no use. */
  checkRoom(): void {
    for (let i = 0; this.list.size < this.settings.maxPeerlistSize; i++) this.add(`2.0.0.${i}`)
    const isUseless = [...this.list].some(
      (peer) =>
        peer.connection === null &&
        !this.list.isConnectCandidate(peer) &&
        (peer.failcount > 0 ||
          peer.source === PeerSource.resumeData ||
          (!peer.connectable && !peer.banned && peer.hashfails === 0)),
    )
    expect(this.list.addPeer({ address: '3.0.0.1', port: 6881 }, PeerSource.tracker) !== null).toBe(isUseless)
  }
}

describe('PeerList', () => {
  test('after any history its counts, its places and its index agree with its entries', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(step, { maxLength: 80 }), (several, steps) => {
        const history = new History()
        history.settings.allowMultipleConnectionsPerIp = several
        history.settings.maxPeerlistSize = 10
        for (const taken of steps) {
          history.take(taken)
          history.check()
        }
        history.checkRoom()
      }),
    )
  })

  test('when it says when to ask again, it gives nobody before that time', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const history = new History()
        for (const taken of steps) history.take(taken)
        if (history.list.connectOnePeer(history.now) !== null) return
        const { retryAt } = history.list
        if (retryAt === Number.POSITIVE_INFINITY) {
          expect(history.list.connectOnePeer(history.now + 1e9)).toBeNull()
          return
        }
        expect(history.list.connectOnePeer(retryAt - 1)).toBeNull()
        expect(history.list.connectOnePeer(retryAt)).not.toBeNull()
      }),
    )
  })
})
