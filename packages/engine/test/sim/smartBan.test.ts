import { afterEach, expect, vi } from 'vitest'
import type { SimPeer } from '../../sim/simPeer.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import type { Settings } from '../../src/settings/settings.ts'
import { PeerFlags } from '../../src/torrent/peerInfo.ts'
import { SmartBan } from '../../src/torrent/smartBan.ts'
import { BLOCK_SIZE_BYTES } from '../../src/util/flavored.ts'
import { SAVE, SimClient } from './client.ts'
import { scenario } from './scenario.ts'

const BLOCK = BLOCK_SIZE_BYTES
const BLOCKS_A_PIECE = 8

interface SceneOptions {
  readonly liars: readonly ((piece: number, begin: number) => boolean)[]
  readonly honest?: number
  readonly pieces?: number
  readonly settings?: Partial<Settings>
}

/** A client downloads from honest seeds and liars, all of one speed, until it has everything. */
function play(world: SimWorld, { liars: lies, honest: count = 5, pieces = 60, settings }: SceneOptions) {
  const torrent = new TestTorrent({ size: pieces * BLOCKS_A_PIECE * BLOCK, pieceLength: BLOCKS_A_PIECE * BLOCK })
  const client = new SimClient(world, 'client', torrent, { settings })
  const sharing = { torrent, has: 'all', serves: true, up: 80_000 } as const
  const liars = lies.map((corrupts, i) => world.peer(`liar${i}`, { ...sharing, corrupts }))
  const honest = Array.from({ length: count }, (_, i) => world.peer(`honest${i}`, sharing))
  world.run({ seconds: 1 })
  for (const peer of [...liars, ...honest]) client.torrent.connectPeer(peer.listen())
  world.runUntil(() => client.torrent.isSeed, { minutes: 20 })
  // The last comparisons.
  world.run({ seconds: 1 })
  expect(torrent.isOn(world.filesOf(client.host), SAVE)).toBe(true)
  return { client, liars, honest }
}

const banned = (client: SimClient) => client.alerts('peerBan').map(({ endpoint }) => endpoint.address)
const addresses = (peers: readonly SimPeer[]) => peers.map(({ host }) => host.address)

/** How connections ended that the client broke off because of what was sent. */
function accused(client: SimClient): string[] {
  const codes = new Set(['peerBanned', 'tooManyCorruptPieces'])
  return client.endings.filter(({ code }) => codes.has(code)).map(({ address }) => address)
}

for (const useParoleMode of [true, false]) {
  const mode = useParoleMode ? 'with parole mode' : 'without parole mode'

  scenario(
    `${mode}, one liar among five honest seeds is banned after few bad pieces, and nobody else`,
    (world) => {
      const corrupts = (piece: number, begin: number) => (piece + begin / BLOCK) % 5 === 0
      const { client, liars } = play(world, { liars: [corrupts], settings: { useParoleMode } })
      expect(banned(client)).toEqual(addresses(liars))
      expect(accused(client)).toEqual(addresses(liars))
      // What it had sent of the pieces under way fails, too.
      expect(client.alerts('hashFailed').length).toBeLessThanOrEqual(12)
    },
    { seeds: 6 },
  )

  scenario(
    `${mode}, a liar that corrupts everything is banned, and nobody else`,
    (world) => {
      const { client, liars } = play(world, { liars: [() => true], settings: { useParoleMode } })
      expect(banned(client)).toEqual(addresses(liars))
      expect(client.alerts('hashFailed').length).toBeLessThanOrEqual(12)
    },
    { seeds: 6 },
  )

  scenario(
    `${mode}, two liars among five honest seeds are both banned, and nobody else`,
    (world) => {
      const corrupts = (piece: number, begin: number) => (piece + begin / BLOCK) % 3 === 0
      const { client, liars } = play(world, { liars: [corrupts, corrupts], settings: { useParoleMode } })
      expect(banned(client).sort()).toEqual(addresses(liars).sort())
      expect(client.alerts('hashFailed').length).toBeLessThanOrEqual(24)
    },
    { seeds: 6 },
  )

  scenario(
    `${mode}, a peer that has lied a single time is found out by the good version of that block`,
    (world) => {
      let lies = 0
      const once = (piece: number) => piece > 20 && lies++ === 0
      const { client, liars } = play(world, { liars: [once], settings: { useParoleMode } })
      expect(client.alerts('hashFailed')).toHaveLength(1)
      expect(banned(client)).toEqual(addresses(liars))
    },
    { seeds: 6 },
  )
}

scenario(
  'honest peers have all their trust again once the liar is known, and none is on parole',
  (world) => {
    let lies = 0
    const { client } = play(world, { liars: [(piece) => piece % 4 === 0 && lies++ < 10], pieces: 100 })
    expect(client.alerts('hashFailed').length).toBeGreaterThan(0)
    expect(banned(client)).toHaveLength(1)
    for (const peer of client.torrent.getPeerInfo()) expect(peer.flags & PeerFlags.onParole).toBe(0)
  },
  { seeds: 4 },
)

scenario('a disk with few slots and little speed does not keep a liar from being found', (world) => {
  const torrent = new TestTorrent({ size: 40 * BLOCKS_A_PIECE * BLOCK, pieceLength: BLOCKS_A_PIECE * BLOCK })
  const client = new SimClient(world, 'client', torrent, { disk: { bytesPerSecond: 300_000, poolSlots: 32 } })
  const sharing = { torrent, has: 'all', serves: true, up: 80_000 } as const
  const liar = world.peer('liar', { ...sharing, corrupts: (piece, begin) => (piece + begin / BLOCK) % 5 === 0 })
  const honest = Array.from({ length: 5 }, (_, i) => world.peer(`honest${i}`, sharing))
  world.run({ seconds: 1 })
  for (const peer of [liar, ...honest]) client.torrent.connectPeer(peer.listen())
  world.runUntil(() => client.torrent.isSeed, { minutes: 20 })
  world.run({ seconds: 5 })
  expect(banned(client)).toEqual([liar.host.address])
})

afterEach(() => void vi.restoreAllMocks())

/** Watches all there are; returns the most pieces one of them remembers at a time, and how many all remember now. */
function watchMemory() {
  const all = new Set<SmartBan>()
  let most = 0
  const { onPieceFailed } = SmartBan.prototype
  vi.spyOn(SmartBan.prototype, 'onPieceFailed').mockImplementation(function (this: SmartBan, piece, senders) {
    all.add(this)
    onPieceFailed.call(this, piece, senders)
    most = Math.max(most, this.size)
  })
  return { most: () => most, now: () => [...all].reduce((sum, { size }) => sum + size, 0) }
}

scenario(
  'however much liars corrupt, few pieces are remembered; without an honest peer all liars are banned in the end',
  (world) => {
    const memory = watchMemory()
    const torrent = new TestTorrent({ size: 300 * BLOCKS_A_PIECE * BLOCK, pieceLength: BLOCKS_A_PIECE * BLOCK })
    const client = new SimClient(world, 'client', torrent, { settings: { useParoleMode: false } })
    const liars = Array.from({ length: 12 }, (_, i) =>
      world.peer(`liar${i}`, { torrent, has: 'all', serves: true, corrupts: () => true, answerDelay: 20 + i }),
    )
    world.run({ seconds: 1 })
    for (const peer of liars) client.torrent.connectPeer(peer.listen())
    world.runUntil(() => banned(client).length === liars.length, { minutes: 10 })
    expect(memory.most()).toBeGreaterThan(10)
    expect(memory.most()).toBeLessThanOrEqual(64)
    // An honest peer comes, and what was remembered is forgotten with each piece that passes.
    client.torrent.connectPeer(world.peer('honest', { torrent, has: 'all', serves: true }).listen())
    world.runUntil(() => client.torrent.isSeed, { minutes: 10 })
    world.run({ seconds: 1 })
    expect(memory.now()).toBe(0)
    expect(banned(client).sort()).toEqual(addresses(liars).sort())
  },
  { seeds: 2 },
)
