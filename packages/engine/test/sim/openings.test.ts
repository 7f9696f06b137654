import { expect } from 'vitest'
import type { SimPeerConnection } from '../../sim/simPeer.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { bdecode } from '../../src/bencode/bdecode.ts'
import { Bitfield } from '../../src/util/bitfield.ts'
import { encodeReserved } from '../../src/wire/reservedBits.ts'
import { SimClient, seedOf } from './client.ts'
import { scenario } from './scenario.ts'

const torrent = new TestTorrent({ size: 30 * 32_768 })
const EXTENDED = encodeReserved({ supportsFast: true, supportsExtensions: true })

/** What the first extension handshake says of `upload_only`. */
function saysUploadOnly(connection: SimPeerConnection): boolean {
  const handshake = bdecode(connection.received('extended')[0].body.subarray(1))
  if (!handshake.ok || handshake.root.type !== 'dict') throw new Error('no handshake')
  return handshake.root.getInt('upload_only') === 1
}

scenario('a seed with lazy bitfields never says in one message that it has everything', (world) => {
  const seed = seedOf(world, torrent, { settings: { lazyBitfields: true, allowedFastSetSize: 0 } })
  const connection = world.peer('peer', { torrent, has: 'none', reserved: EXTENDED }).connect(seed.endpoint)
  world.run({ seconds: 1 })
  expect(connection.names.filter((name) => name !== 'extended')).toEqual(['bitfield', 'have', 'have', 'have'])
  const field = Bitfield.fromWire(connection.received('bitfield')[0].body, torrent.pieceCount) as Bitfield
  expect(field.count).toBe(27)
  for (const { piece } of connection.received('have')) field.set(piece)
  expect(field.isAllSet).toBe(true)
  expect(saysUploadOnly(connection)).toBe(false)
})

scenario('a seed without says so in one message', (world) => {
  const seed = seedOf(world, torrent, { settings: { lazyBitfields: false, allowedFastSetSize: 0 } })
  const connection = world.peer('peer', { torrent, has: 'none', reserved: EXTENDED }).connect(seed.endpoint)
  world.run({ seconds: 1 })
  expect(connection.names.filter((name) => name !== 'extended')).toEqual(['haveAll'])
  expect(saysUploadOnly(connection)).toBe(true)
})

scenario('everything can be downloaded from a seed with lazy bitfields', (world) => {
  const seed = seedOf(world, torrent, { settings: { lazyBitfields: true } })
  const client = new SimClient(world, 'client', torrent)
  client.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => client.torrent.isSeed, { minutes: 2 })
})

scenario('a client with lazy bitfields that is not complete says what it has', (world) => {
  const client = new SimClient(world, 'client', torrent, { has: (p) => p === 3, settings: { lazyBitfields: true } })
  world.run({ seconds: 2 })
  const connection = world.peer('peer', { torrent, has: 'none' }).connect(client.endpoint)
  world.run({ seconds: 1 })
  expect(connection.received('bitfield')[0].body[0]).toBe(0x10)
})
