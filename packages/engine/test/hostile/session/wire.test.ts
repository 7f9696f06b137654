import { expect } from 'vitest'
import { sha1 } from '../../../src/crypto/sha1.ts'
import { EncPolicy } from '../../../src/settings/settingEnums.ts'
import { encodeReserved } from '../../../src/wire/reservedBits.ts'
import { scenario } from '../../sim/scenario.ts'
import { BLOCK, hex, Siege } from './siege.ts'

const PLAIN = encodeReserved({})
const KNOWS_NOTHING = { seeds: 1 }

// Hostile inputs, line 17.
for (const length of ['7fffffff', '80000000', 'ffffffff', '00200002']) {
  scenario(
    `a frame of 0x${length} bytes ends the connection before anything of it is kept`,
    (world) => {
      const siege = new Siege(world)
      const attacker = siege.attacker()
      attacker.sendRaw(hex(`${length} 05`))
      world.run({ seconds: 1 })
      expect(siege.verdicts).toEqual(['packetTooLarge'])
      siege.survive()
    },
    KNOWS_NOTHING,
  )
}

scenario(
  'messages that announce two megabytes and stop hold the memory of what came, no more',
  (world) => {
    const siege = new Siege(world)
    const before = process.memoryUsage().arrayBuffers
    const attackers = Array.from({ length: 40 }, () => siege.attacker())
    for (const attacker of attackers) attacker.sendRaw(hex('00200000 05'))
    world.run({ seconds: 5 })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024)
    siege.survive()
  },
  KNOWS_NOTHING,
)

// Line 19.
for (const [what, bytes, code] of [
  ['a bitfield too short', '00000005 05 ffffffff', 'invalidBitfieldSize'],
  ['a bitfield too long', '00000007 05 ffffffffffff', 'invalidBitfieldSize'],
  ['an empty bitfield', '00000001 05', 'invalidBitfieldSize'],
  ['a have of piece 2^31', '00000005 04 80000000', 'invalidHave'],
  ['a have of piece -1', '00000005 04 ffffffff', 'invalidHave'],
  ['a have of the piece after the last', '00000005 04 00000028', 'invalidHave'],
  ['a have without a piece', '00000001 04', 'invalidHave'],
  ['an unknown message', '00000002 63 00', 'invalidMessage'],
  ['an unknown message right after have-all', '00000001 0e 00000001 63', 'invalidMessage'],
  ['a choke with a body', '00000002 00 00', 'invalidChoke'],
  ['a request of eleven bytes', '0000000c 06 0000000000000000000000', 'invalidRequest'],
  ['an empty block', '00000009 07 00000000 00000000', 'peerSentEmptyPiece'],
  [
    'a block of a piece that does not exist',
    '00000019 07 00001000 00000000 00000000000000000000000000000000',
    'invalidPiece',
  ],
  [
    'a block beyond the end of its piece',
    '00000019 07 00000000 00007ff8 00000000000000000000000000000000',
    'invalidPiece',
  ],
  ['a suggestion of a piece that does not exist', '00000005 0d 00001000', 'invalidSuggest'],
  ['a grant of a piece that does not exist', '00000005 11 00001000', 'invalidAllowFast'],
  ['an extension message nobody announced', '00000004 14 63 6465', 'invalidExtended'],
] as const) {
  scenario(
    `${what} ends the connection as ${code}`,
    (world) => {
      const siege = new Siege(world)
      siege.attacker().sendRaw(hex(bytes))
      world.run({ seconds: 1 })
      expect(siege.verdicts).toEqual([code])
      siege.survive()
    },
    KNOWS_NOTHING,
  )
}

scenario(
  'spare bits of a bitfield that are set end the connection',
  (world) => {
    const siege = new Siege(world)
    // 40 pieces have no spare bits: the bystander's 31 have one.
    siege.attacker({ torrent: siege.otherTorrent }).sendRaw(hex('00000005 05 ffffffff'))
    world.run({ seconds: 1 })
    expect(siege.verdicts).toEqual(['invalidBitfieldSize'])
    siege.survive()
  },
  KNOWS_NOTHING,
)

// The scenes of libtorrent's alternate_have_all_have_none and bitfield_and_*.
scenario(
  "have-all, have-none and bitfields take each other's place; the last word counts",
  (world) => {
    const siege = new Siege(world)
    const attacker = siege.attacker()
    const half = [0x55, 0x55, 0x55, 0x55, 0x55]
    const availability = () => siege.client.torrent.pieceAvailability()
    const withHonest = new Array(40).fill(1)
    for (let round = 0; round < 50; round++) {
      attacker.send((to) => to.haveAll())
      world.run({ ms: 100 })
      expect(availability()).toEqual(new Array(40).fill(2))
      attacker.send((to) => to.bitfield(Uint8Array.from(half)))
      world.run({ ms: 100 })
      expect(availability()).toEqual(withHonest.map((one, piece) => one + (piece % 2)))
      attacker.send((to) => to.haveNone())
      world.run({ ms: 100 })
      expect(availability()).toEqual(withHonest)
    }
    expect(siege.verdicts).toEqual([])
    siege.survive()
  },
  KNOWS_NOTHING,
)

// Line 20.
for (const [what, piece, begin, length] of [
  ['of a piece that does not exist', 4096, 0, BLOCK],
  ['of piece -1', 0xffffffff, 0, BLOCK],
  ['of a piece we lack', 1, 0, BLOCK],
  ['beyond the end of the piece', 0, 2 * BLOCK - 10, BLOCK],
  ['whose end overflows', 0, 0xffffffff, BLOCK],
  ['of no bytes', 0, 0, 0],
  ['of a megabyte', 0, 0, 1024 * 1024],
  ['of -1 bytes', 0, 0, 0xffffffff],
  ['of 16 KiB and one', 0, 0, BLOCK + 1],
] as const) {
  scenario(
    `a request ${what} is refused and reported, and three hundred of them are enough`,
    (world) => {
      const siege = new Siege(world)
      const attacker = siege.attacker()
      attacker.send((to) => to.interested())
      world.run({ seconds: 1 })
      attacker.send((to) => to.request(piece, begin, length))
      world.run({ seconds: 1 })
      expect(attacker.received('reject').map((reject) => [reject.piece, reject.begin, reject.length])).toEqual([
        [piece, begin, length],
      ])
      expect(siege.client.alerts('invalidRequest').map(({ request }) => request)).toEqual([
        { piece, start: begin, length },
      ])
      expect(attacker.received('piece')).toEqual([])
      expect(siege.verdicts).toEqual([])
      for (let i = 0; i < 400; i++)
        if (attacker.closed === undefined) attacker.send((to) => to.request(piece, begin, length))
      world.run({ seconds: 1 })
      expect(siege.verdicts).toEqual(['invalidRequest'])
      siege.survive()
    },
    KNOWS_NOTHING,
  )
}

scenario(
  'requests in spite of a choke are refused, and a flood of them ends the connection',
  (world) => {
    const siege = new Siege(world, { settings: { unchokeSlotsLimit: 0, allowedFastSetSize: 0 } })
    const attacker = siege.attacker()
    attacker.send((to) => {
      for (let i = 0; i < 100_000; i++) to.request(0, 0, BLOCK)
    })
    world.run({ seconds: 5 })
    expect(attacker.received('piece')).toEqual([])
    expect(attacker.received('reject').length).toBeLessThanOrEqual(51)
    expect(siege.verdicts).toEqual(['tooManyRequestsWhenChoked'])
    siege.survive()
  },
  KNOWS_NOTHING,
)

// Line 22.
for (const [what, write] of [
  ['have-all', '00000001 0e'],
  ['have-none', '00000001 0f'],
  ['suggest', '00000005 0d 00000001'],
  ['reject', '0000000d 10 00000001 00000000 00004000'],
  ['allowed-fast', '00000005 11 00000001'],
] as const) {
  scenario(
    `${what} from a peer that did not announce the fast extension ends the connection`,
    (world) => {
      const siege = new Siege(world)
      const attacker = siege.attacker({ reserved: PLAIN })
      attacker.sendRaw(hex(write))
      world.run({ seconds: 1 })
      expect(siege.verdicts.length).toBe(1)
      expect(siege.verdicts[0]).toMatch(/^invalid/)
      siege.survive()
    },
    KNOWS_NOTHING,
  )
}

scenario(
  'floods of suggestions, grants and refusals nobody asked for are borne',
  (world) => {
    const siege = new Siege(world)
    const attacker = siege.attacker({ has: 'all' })
    for (let round = 0; round < 20; round++) {
      attacker.send((to) => {
        for (let i = 0; i < 5000; i++) {
          to.suggest(i % 40)
          to.allowedFast(i % 40)
          to.reject(i % 40, 0, BLOCK)
        }
      })
      world.run({ ms: 500 })
    }
    siege.survive()
  },
  KNOWS_NOTHING,
)

scenario(
  'an extension message without having announced extensions ends the connection',
  (world) => {
    const siege = new Siege(world)
    siege.attacker({ reserved: PLAIN }).sendRaw(hex('00000004 14 00 6465'))
    world.run({ seconds: 1 })
    expect(siege.verdicts).toEqual(['invalidExtended'])
    siege.survive()
  },
  KNOWS_NOTHING,
)

scenario(
  'a handshake for a torrent nobody has, or in another language, is the end of it',
  (world) => {
    const siege = new Siege(world)
    const unknown = siege.attacker({ infoHash: sha1(new Uint8Array(1)) })
    expect(unknown.closed).not.toBe(undefined)
    // As long as encrypted handshakes are taken, this could be the beginning of one.
    siege.client.session.setPeSettings({ inEncPolicy: EncPolicy.disabled })
    const http = siege.attacker({ greets: 'silence' })
    http.sendRaw(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))
    world.run({ seconds: 1 })
    // In order, or by a reset where the end of what it sent was not read any more.
    expect(http.closed?.code ?? 'ECONNRESET').toBe('ECONNRESET')
    expect(http.closed).not.toBe(undefined)
    expect(siege.client.session.numConnections).toBe(2)
    siege.survive()
  },
  KNOWS_NOTHING,
)
