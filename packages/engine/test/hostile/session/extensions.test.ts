import { expect } from 'vitest'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { bencode } from '../../../src/bencode/bencode.ts'
import { sha1 } from '../../../src/crypto/sha1.ts'
import { encodeDontHave } from '../../../src/wire/dontHave.ts'
import { encodeUtMetadata } from '../../../src/wire/utMetadataMessage.ts'
import { cpuTime } from '../../cpuTime.ts'
import { SimClient } from '../../sim/client.ts'
import { metadataPeer, metadataRequests, theirId } from '../../sim/extensionPeer.ts'
import { scenario } from '../../sim/scenario.ts'
import { Siege } from './siege.ts'

const ONCE = { seeds: 1 }
const small = new TestTorrent({ size: 200_000 })

function repeated(text: string, count: number): Uint8Array {
  return Buffer.from(text.repeat(count))
}

// Hostile inputs, line 1, the door of the extension handshake.
for (const [what, payload] of [
  ['a million lists in each other', repeated('l', 1_000_000)],
  ['a million dictionaries in each other', repeated('d1:a', 400_000)],
  [
    'a million dictionaries, all closed',
    Buffer.concat([repeated('d1:a', 200_000), Buffer.from('i0e'), repeated('e', 200_000)]),
  ],
  ['a length that lies', Buffer.from('d1:v99999999999:x')],
  ['a negative length', Buffer.from('d1:v-1:xe')],
  ['a number of a hundred thousand digits', Buffer.from(`d4:reqqi${'9'.repeat(100_000)}ee`)],
  [
    'two hundred thousand small values',
    Buffer.concat([Buffer.from('d1:ml'), repeated('i0e', 200_000), Buffer.from('ee')]),
  ],
  ['keys that name prototypes', Buffer.from('d11:constructori1e1:md9:__proto__i5e14:hasOwnPropertyi6eee')],
  ['nothing', new Uint8Array(0)],
  ['no dictionary', Buffer.from('4:spam')],
  [
    'numbers of every size',
    Buffer.from(
      'd1:md11:ut_metadatai300e11:lt_donthavei-1e11:upload_onlyi99999999999999999999ee13:metadata_sizei-5e1:pi99999e4:reqqi-1ee',
    ),
  ],
  [
    'a client name of a megabyte with escape codes',
    Buffer.from(bencode({ v: `\u001b]0;owned\u0007<img src=x>${'A'.repeat(1_000_000)}` })),
  ],
  ['an address of three bytes', Buffer.from('d6:yourip3:abc4:ipv42:xx4:ipv63:yyye')],
] as const) {
  scenario(
    `an extension handshake with ${what} is borne`,
    (world) => {
      const siege = new Siege(world)
      const attacker = siege.attacker()
      const begin = cpuTime()
      attacker.send((to) => to.extended(0, payload))
      world.run({ seconds: 1 })
      expect(cpuTime() - begin).toBeLessThan(3000)
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
      const info = siege.client.torrent.getPeerInfo().find(({ pid }) => Buffer.from(pid).includes('attacker'))
      expect(info?.client.length ?? 0).toBeLessThanOrEqual(256)
      siege.survive()
    },
    ONCE,
  )
}

// Line 23.
scenario(
  'ten thousand names, again and again with others, are not remembered',
  (world) => {
    const siege = new Siege(world)
    const attacker = siege.attacker()
    const before = process.memoryUsage().heapUsed
    for (let round = 0; round < 30; round++) {
      const names = Array.from(
        { length: 10_000 },
        (_, i) => [`name_${round}_${i}`.padEnd(60, 'x'), (i % 250) + 1] as const,
      )
      attacker.send((to) => to.extended(0, bencode({ m: new Map(names) })))
      world.run({ ms: 200 })
    }
    ;(globalThis as { gc?: () => void }).gc?.()
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024)
    expect(siege.verdicts).toEqual([])
    siege.survive()
  },
  ONCE,
)

scenario(
  'a peer that says it takes 10^9 requests is not sent more than the setting allows',
  (world) => {
    const torrent = new TestTorrent({ size: 4_000_000 })
    const client = new SimClient(world, 'client', torrent, { settings: { maxOutRequestQueue: 50 } })
    const greedy = world.peer('greedy', {
      torrent,
      has: 'all',
      serves: true,
      answerDelay: 50,
      reserved: Uint8Array.of(0, 0, 0, 0, 0, 0x10, 0, 4),
    })
    greedy.onMessage = ({ name, body }, connection) => {
      if (name === 'extended' && body[0] === 0)
        connection.send((to) => to.extended(0, Buffer.from('d4:reqqi1000000000ee')))
    }
    client.torrent.connectPeer(greedy.listen())
    let peak = 0
    world.runUntil(
      () => {
        peak = Math.max(peak, client.torrent.getPeerInfo()[0]?.downloadQueueLength ?? 0)
        return client.torrent.isSeed
      },
      { minutes: 5 },
    )
    expect(peak).toBeLessThanOrEqual(50)
  },
  ONCE,
)

scenario(
  'a peer that takes one request at a time gets one at a time',
  (world) => {
    const client = new SimClient(world, 'client', small)
    const modest = world.peer('modest', {
      torrent: small,
      has: 'all',
      serves: true,
      reserved: Uint8Array.of(0, 0, 0, 0, 0, 0x10, 0, 4),
    })
    modest.onMessage = ({ name, body }, connection) => {
      if (name === 'extended' && body[0] === 0) connection.send((to) => to.extended(0, Buffer.from('d4:reqqi1ee')))
    }
    client.torrent.connectPeer(modest.listen())
    world.run({ ms: 200 })
    let peak = 0
    world.runUntil(
      () => {
        peak = Math.max(peak, client.torrent.getPeerInfo()[0]?.downloadQueueLength ?? 0)
        return client.torrent.isSeed
      },
      { minutes: 5 },
    )
    expect(peak).toBeLessThanOrEqual(4)
  },
  ONCE,
)

scenario(
  'messages of extensions with rubbish inside end the connection, or are ignored',
  (world) => {
    const siege = new Siege(world)
    for (const [name, payload, codes] of [
      ['ut_metadata', Buffer.from('rubbish'), ['invalidMetadataMessage']],
      ['ut_metadata', repeated('l', 17_000), ['invalidMetadataMessage']],
      ['ut_metadata', new Uint8Array(18_000), ['invalidMetadataMessage']],
      ['lt_donthave', new Uint8Array(3), ['invalidDontHave']],
      ['lt_donthave', encodeDontHave(40), ['invalidDontHave']],
      ['upload_only', new Uint8Array(100), []],
      ['upload_only', new Uint8Array(0), []],
    ] as const) {
      const attacker = siege.attacker()
      const earlier = siege.verdicts.length
      attacker.send((to) => to.extended(theirId(attacker, name), payload))
      world.run({ seconds: 1 })
      expect(siege.verdicts.slice(earlier)).toEqual(codes)
      attacker.close()
      world.run({ ms: 100 })
    }
    siege.survive()
  },
  ONCE,
)

// Line 1, the door of the metadata: bytes that are what the info-hash says, and no torrent.
for (const [what, bytes] of [
  ['a hundred thousand lists in each other', repeated('l', 100_000)],
  ['dictionaries in each other', repeated('d1:a', 25_000)],
  ['a dictionary without anything', Buffer.from('de')],
  [
    'numbers beyond the limit of tokens',
    Buffer.concat([Buffer.from('d1:xl'), repeated('i0e', 4_000_000), Buffer.from('ee')]),
  ],
  ['a piece length of 0', bencode({ name: 'x', length: 1, 'piece length': 0, pieces: new Uint8Array(20) })],
  ['a name that climbs out', bencode({ name: '../../etc', length: 1, 'piece length': 0, pieces: new Uint8Array(20) })],
] as const) {
  scenario(
    `a magnet to ${what} fails once, and is not asked for again`,
    (world) => {
      const torrent = new TestTorrent({ size: 1 })
      const infoHash = sha1(bytes)
      Object.assign(torrent, { infoHash, infoSection: bytes })
      const client = new SimClient(world, 'client', small)
      const magnet = client.session.addTorrent({ infoHash, savePath: '/save', autoManaged: false })
      const peer = metadataPeer(world, 'peer', torrent, { infoHash })
      magnet.connectPeer(peer.listen())
      world.run({ minutes: 2 })
      expect(client.alerts('metadataFailed').length).toBe(1)
      const asked = metadataRequests(peer).length
      world.run({ minutes: 30 })
      expect(metadataRequests(peer).length).toBe(asked)
      expect(magnet.hasMetadata).toBe(false)
      client.torrent.connectPeer(world.peer('seed', { torrent: small, has: 'all', serves: true }).listen())
      world.runUntil(() => client.torrent.isSeed, { minutes: 1 })
    },
    ONCE,
  )
}

// Line 14.
scenario(
  'ten liars of every kind and one honest peer: the metadata arrives',
  (world) => {
    const size = small.infoSection.length
    const magnet = new SimClient(world, 'magnet', small, { magnet: true })
    const liars = [
      metadataPeer(world, 'wrongHash1', small, {
        answers: (piece) => ({ type: 'data', piece, totalSize: size, data: new Uint8Array(size).fill(1) }),
      }),
      metadataPeer(world, 'wrongHash2', small, {
        answers: (piece) => ({ type: 'data', piece, totalSize: size, data: new Uint8Array(size).fill(2) }),
      }),
      metadataPeer(world, 'short', small, {
        answers: (piece) => ({ type: 'data', piece, totalSize: size, data: new Uint8Array(7) }),
      }),
      metadataPeer(world, 'long', small, {
        answers: (piece) => ({ type: 'data', piece, totalSize: size, data: new Uint8Array(16_384) }),
      }),
      metadataPeer(world, 'otherPiece', small, {
        answers: (piece) => ({ type: 'data', piece: piece + 7, totalSize: size, data: new Uint8Array(size) }),
      }),
      metadataPeer(world, 'otherSize', small, {
        answers: (piece) => ({ type: 'data', piece, totalSize: size + 99, data: new Uint8Array(size) }),
      }),
      metadataPeer(world, 'huge', small, {
        claims: 2 ** 31 - 1,
        answers: (piece) => ({ type: 'data', piece, totalSize: 2 ** 40, data: new Uint8Array(5) }),
      }),
      metadataPeer(world, 'refuses', small, { answers: (piece) => ({ type: 'reject', piece }) }),
      metadataPeer(world, 'silent', small, { answers: () => null }),
      metadataPeer(world, 'saysNothing', small, { claims: 0, answers: () => null }),
    ]
    for (const liar of liars) magnet.torrent.connectPeer(liar.listen())
    world.run({ seconds: 20 })
    const honest = metadataPeer(world, 'honest', small)
    magnet.torrent.connectPeer(honest.listen())
    world.runUntil(() => magnet.torrent.hasMetadata, { minutes: 15 })
    expect(magnet.endings.filter(({ address }) => address === honest.host.address)).toEqual([])
  },
  { seeds: 6 },
)

scenario(
  'metadata nobody asked for, by the thousand, is ignored',
  (world) => {
    const magnet = new SimClient(world, 'magnet', small, { magnet: true })
    world.run({ seconds: 1 })
    const pusher = metadataPeer(world, 'pusher', small, { claims: 0, answers: () => null }).connect(magnet.endpoint)
    world.run({ seconds: 1 })
    const id = theirId(pusher, 'ut_metadata')
    const data = new Uint8Array(16_384)
    for (let round = 0; round < 20; round++) {
      pusher.send((to) => {
        for (let piece = 1; piece < 100; piece++)
          to.extended(id, encodeUtMetadata({ type: 'data', piece, totalSize: 10 ** 9, data }))
      })
      world.run({ ms: 200 })
    }
    magnet.torrent.connectPeer(metadataPeer(world, 'honest', small).listen())
    world.runUntil(() => magnet.torrent.isSeed, { minutes: 1 })
  },
  ONCE,
)
