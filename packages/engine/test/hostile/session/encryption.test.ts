import { expect } from 'vitest'
import type { SimPeerConnection } from '../../../sim/simPeer.ts'
import { DH_PRIME, KeyExchange } from '../../../src/crypto/keyExchange.ts'
import type { Rc4 } from '../../../src/crypto/rc4.ts'
import { BURST_OF_ADDRESS, EXCHANGES_PER_SECOND } from '../../../src/mse/keyExchangeBudget.ts'
import { maskedStreamKey, streamCipher, streamKeyHash, syncHash } from '../../../src/mse/mseKeys.ts'
import { EncLevel, EncPolicy } from '../../../src/settings/settingEnums.ts'
import { PeerFlags } from '../../../src/torrent/peerInfo.ts'
import { concatBytes, writeU16, writeU32 } from '../../../src/util/bytes.ts'
import { encodeHandshake } from '../../../src/wire/handshake.ts'
import { encodeReserved } from '../../../src/wire/reservedBits.ts'
import { scenario } from '../../sim/scenario.ts'
import { Siege } from './siege.ts'

// Hostile inputs, lines 18 and 27.

const ONCE = { seeds: 1 }
const exchange = new KeyExchange(new Uint8Array(20).fill(7))
const silent = { greets: 'silence' } as const
const noise = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 3)) & 255)

/** An attacker who knows the protocol, and says one step at a time what he likes. */
class Caller {
  readonly secret: Uint8Array
  readonly encrypt: Rc4

  constructor(
    readonly siege: Siege,
    readonly connection: SimPeerConnection,
    infoHash = siege.torrent.infoHash.bytes,
  ) {
    const received: Uint8Array[] = []
    const { stream } = connection
    stream.setHandler({
      onConnected() {},
      onData: (chunk) => void received.push(new Uint8Array(chunk)),
      onDrain() {},
      onClosed: (error) => connection.onClosed(error),
    })
    connection.sendRaw(exchange.publicKey)
    siege.world.run({ seconds: 1 })
    this.secret = exchange.secret(concatBytes(...received).subarray(0, 96)) as Uint8Array
    this.encrypt = streamCipher('keyA', this.secret, infoHash)
    this.name = () => concatBytes(syncHash(this.secret), maskedStreamKey(streamKeyHash(infoHash), this.secret))
  }

  readonly name: () => Uint8Array

  encrypted(bytes: Uint8Array): Uint8Array {
    const copy = bytes.slice()
    this.encrypt.turn(copy)
    return copy
  }

  /** Verification, levels, no padding, an initial payload of `length`. */
  offer(level: number, length: number, padding = 0): Uint8Array {
    const bytes = new Uint8Array(16)
    writeU32(bytes, 8, level)
    writeU16(bytes, 12, padding)
    writeU16(bytes, 14, length)
    return this.encrypted(bytes)
  }
}

const one = new Uint8Array(96)
one[95] = 1
const minusOne = DH_PRIME.slice()
minusOne[95] -= 1

for (const [what, key] of [
  ['0', new Uint8Array(96)],
  ['1', one],
  ['P - 1', minusOne],
  ['P', DH_PRIME],
  ['2^768 - 1', new Uint8Array(96).fill(255)],
] as const) {
  scenario(
    `${what} is no key of a key exchange`,
    (world) => {
      const siege = new Siege(world)
      siege.attacker(silent).sendRaw(key)
      world.run({ seconds: 1 })
      expect(siege.verdicts).toEqual(['invalidEncryptHandshake'])
      siege.survive()
    },
    ONCE,
  )
}

for (const size of [513 + 20, 5000, 1_000_000]) {
  scenario(
    `${size} bytes of padding without end are given up after 512`,
    (world) => {
      const siege = new Siege(world)
      const attacker = siege.attacker(silent)
      attacker.sendRaw(exchange.publicKey)
      attacker.sendRaw(noise(size))
      world.run({ seconds: 3 })
      expect(siege.verdicts).toEqual(['syncHashNotFound'])
      siege.survive()
    },
    ONCE,
  )
}

for (const [what, code, bytes] of [
  ['a torrent we do not have', 'invalidInfoHash', (c: Caller) => concatBytes(syncHash(c.secret), noise(20))],
  ['a wrong verification', 'invalidEncryptionConstant', (c: Caller) => concatBytes(c.name(), noise(8))],
  ['no level we know', 'unsupportedEncryptionMode', (c: Caller) => concatBytes(c.name(), c.offer(0xf0, 0))],
  ['padding of 513 bytes', 'invalidPadSize', (c: Caller) => concatBytes(c.name(), c.offer(EncLevel.both, 0, 513))],
  ['padding of 65535 bytes', 'invalidPadSize', (c: Caller) => concatBytes(c.name(), c.offer(EncLevel.both, 0, 0xffff))],
  [
    'another protocol within',
    'invalidInfoHash',
    (c: Caller) => concatBytes(c.name(), c.offer(EncLevel.rc4, 0), c.encrypted(noise(100))),
  ],
  [
    'plain bytes where encrypted ones were agreed',
    'invalidInfoHash',
    (c: Caller) => concatBytes(c.name(), c.offer(EncLevel.rc4, 0), plainHandshake(c.siege.torrent.infoHash.bytes)),
  ],
  [
    'another torrent within than outside',
    'invalidInfoHash',
    (c: Caller) => {
      const inside = c.encrypted
      return concatBytes(
        c.name(),
        c.offer(EncLevel.rc4, 0),
        inside.call(c, plainHandshake(c.siege.otherTorrent.infoHash.bytes)),
      )
    },
  ],
  [
    'an encrypted handshake within an encrypted one',
    'invalidInfoHash',
    (c: Caller) => concatBytes(c.name(), c.offer(EncLevel.rc4, 0), c.encrypted(exchange.publicKey)),
  ],
] as const) {
  scenario(
    `${what} ends an encrypted handshake as ${code}`,
    (world) => {
      const siege = new Siege(world)
      const caller = new Caller(siege, siege.attacker(silent))
      caller.connection.sendRaw(bytes(caller))
      world.run({ seconds: 1 })
      expect(siege.verdicts).toEqual([code])
      siege.survive()
    },
    ONCE,
  )
}

function plainHandshake(infoHash: Uint8Array): Uint8Array {
  return encodeHandshake({ infoHash, peerId: noise(20), reserved: encodeReserved({}) })
}

scenario(
  'the greeting of TLS is taken for no key, and nothing is computed for it',
  (world) => {
    const siege = new Siege(world)
    const attacker = siege.attacker(silent)
    attacker.sendRaw(concatBytes(Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3), noise(501)))
    world.run({ seconds: 1 })
    expect(siege.verdicts).toEqual(['invalidInfoHash'])
    siege.survive()
  },
  ONCE,
)

scenario(
  'a torrent that was removed is not found any more, one that was added is',
  (world) => {
    const siege = new Siege(world)
    const first = new Caller(siege, siege.attacker(silent))
    first.connection.sendRaw(concatBytes(first.name(), first.offer(EncLevel.both, 0)))
    world.run({ seconds: 1 })
    expect(siege.verdicts).toEqual([])
    const { session } = siege.client
    const other = session.findTorrent(siege.otherTorrent.infoHash)
    if (other === null) throw new Error('it is there')
    void session.removeTorrent(other)
    world.run({ seconds: 1 })
    siege.client.forget()
    const gone = new Caller(siege, siege.attacker(silent), siege.otherTorrent.infoHash.bytes)
    gone.connection.sendRaw(gone.name())
    world.run({ seconds: 1 })
    expect(siege.verdicts).toEqual(['invalidInfoHash'])
    session.addTorrent({ ti: siege.otherTorrent.info(), savePath: '/elsewhere', autoManaged: false })
    const back = new Caller(siege, siege.attacker(silent), siege.otherTorrent.infoHash.bytes)
    back.connection.sendRaw(concatBytes(back.name(), back.offer(EncLevel.both, 0)))
    world.run({ seconds: 1 })
    expect(siege.verdicts).toEqual(['invalidInfoHash'])
  },
  ONCE,
)

for (const level of [EncLevel.plaintext, EncLevel.rc4] as const) {
  scenario(
    `an initial payload of 65535 bytes is read as it comes, and judged as any other input (level ${level})`,
    (world) => {
      const siege = new Siege(world, { settings: { allowedEncLevel: level } })
      const caller = new Caller(siege, siege.attacker(silent))
      const { infoHash } = siege.torrent
      const keepAlives = new Uint8Array(0xffff - 68)
      caller.connection.sendRaw(concatBytes(caller.name(), caller.offer(level, 0xffff)))
      caller.connection.sendRaw(caller.encrypted(concatBytes(plainHandshake(infoHash.bytes), keepAlives)))
      world.run({ seconds: 2 })
      expect(siege.verdicts).toEqual([])
      // One byte is missing to the last of the keep-alives, of four bytes each.
      const after = Uint8Array.of(0, 255, 255, 255, 255, 255)
      caller.connection.sendRaw(level === EncLevel.rc4 ? caller.encrypted(after) : after)
      world.run({ seconds: 2 })
      expect(siege.verdicts).toEqual(['packetTooLarge'])
      siege.survive()
    },
    ONCE,
  )
}

for (const level of [EncLevel.plaintext, EncLevel.rc4] as const) {
  scenario(
    `a handshake that comes byte by byte is as good as one that comes at once (level ${level})`,
    (world) => {
      const siege = new Siege(world, { settings: { allowedEncLevel: level } })
      const caller = new Caller(siege, siege.attacker(silent))
      const handshake = plainHandshake(siege.torrent.infoHash.bytes)
      const padding = noise(17)
      const bytes = concatBytes(
        padding,
        caller.name(),
        caller.offer(level, 20),
        caller.encrypted(handshake.subarray(0, 20)),
        level === EncLevel.rc4 ? caller.encrypted(handshake.subarray(20)) : handshake.subarray(20),
      )
      for (const byte of bytes) {
        caller.connection.sendRaw(Uint8Array.of(byte))
        world.run({ ms: 10 })
      }
      world.run({ seconds: 1 })
      expect(siege.verdicts).toEqual([])
      const flag = level === EncLevel.rc4 ? PeerFlags.rc4Encrypted : PeerFlags.plaintextEncrypted
      expect(siege.client.torrent.getPeerInfo().filter(({ flags }) => (flags & flag) !== 0)).toHaveLength(1)
      siege.survive()
    },
    ONCE,
  )
}

scenario(
  'a byte now and then does not keep a handshake alive, whichever step it is at',
  (world) => {
    const siege = new Siege(world, { settings: { handshakeTimeout: 10 } })
    const slow = [siege.attacker(silent), siege.attacker(silent)]
    slow[1].sendRaw(exchange.publicKey)
    for (let second = 0; second < 12; second++) {
      for (const connection of slow)
        if (connection.closed === undefined) connection.sendRaw(noise(second + 2).slice(-1))
      world.run({ seconds: 1 })
    }
    expect(siege.verdicts).toEqual(['timedOutNoHandshake', 'timedOutNoHandshake'])
    siege.survive()
  },
  ONCE,
)

scenario(
  'of silent connections the oldest go for new ones, so that three hundred keep nobody out',
  (world) => {
    const siege = new Siege(world)
    const crowd = world.peer('crowd', { torrent: siege.torrent, ...silent })
    for (let i = 0; i < 300; i++) crowd.connect(siege.client.endpoint)
    world.run({ seconds: 1 })
    const ended = siege.client.endings.filter(({ address }) => address === crowd.host.address)
    expect(ended.map(({ code }) => code)).toEqual(Array<string>(100).fill('tooManyConnections'))
    const late = siege.attacker({ has: 'none' })
    expect(late.handshake).not.toBeNull()
    expect(late.closed).toBeUndefined()
    siege.survive()
  },
  ONCE,
)

scenario(
  'a peer that answers an encrypted handshake with a byte now and then is left after the time of one handshake',
  (world) => {
    const siege = new Siege(world, { settings: { outEncPolicy: EncPolicy.enabled, handshakeTimeout: 10 } })
    siege.client.session.setPeSettings({ outEncPolicy: EncPolicy.forced })
    const peer = world.peer('slow', { torrent: siege.torrent, ...silent })
    const begin = world.time.elapsed
    siege.client.torrent.connectPeer(peer.listen())
    world.run({ seconds: 1 })
    const { connection } = peer
    for (let second = 0; second < 30 && connection.closed === undefined; second++) {
      connection.sendRaw(Uint8Array.of(1))
      world.run({ seconds: 1 })
    }
    expect(siege.verdicts).toEqual(['timedOutNoHandshake'])
    expect(world.time.elapsed - begin).toBeLessThan(14_000)
    siege.survive()
  },
  ONCE,
)

for (const [what, answer, code] of [
  ['noise', noise(2000), 'invalidEncryptionConstant'],
  ['a key and padding without end', concatBytes(exchange.publicKey, noise(2000)), 'invalidEncryptionConstant'],
  ['a key that is none', new Uint8Array(96), 'invalidEncryptHandshake'],
  ['a plain handshake', plainHandshake(noise(20)), 'timedOutNoHandshake'],
] as const) {
  scenario(
    `a peer that answers an encrypted handshake with ${what} is left as ${code}`,
    (world) => {
      const siege = new Siege(world)
      siege.client.session.setPeSettings({ outEncPolicy: EncPolicy.forced })
      const peer = world.peer('odd', { torrent: siege.torrent, ...silent })
      siege.client.torrent.connectPeer(peer.listen())
      world.run({ seconds: 1 })
      peer.connection.sendRaw(answer)
      world.run({ seconds: 30 })
      expect(siege.verdicts).toEqual([code])
      siege.survive()
    },
    ONCE,
  )
}

scenario(
  'who begins one encrypted handshake after another is computed no more than his share',
  (world) => {
    const siege = new Siege(world)
    const before = siege.client.endings.length
    const attacker = world.peer('flood', { torrent: siege.torrent, ...silent })
    const flood = 400
    for (let i = 0; i < flood; i++) attacker.connect(siege.client.endpoint)
    world.run({ seconds: 1 })
    for (const connection of attacker.connections) {
      if (connection.closed === undefined) connection.sendRaw(concatBytes(exchange.publicKey, noise(600)))
    }
    world.run({ seconds: 2 })
    const codes = siege.client.endings.slice(before).map(({ code }) => code)
    const computed = codes.filter((code) => code === 'syncHashNotFound').length
    expect(computed).toBeGreaterThanOrEqual(BURST_OF_ADDRESS)
    expect(computed).toBeLessThan(BURST_OF_ADDRESS + 40)
    expect(codes.filter((code) => code === 'tooManyConnections').length).toBeGreaterThan(100)
    siege.survive()
  },
  ONCE,
)

scenario(
  'from however many addresses: so many handshakes a second are computed, and no more',
  (world) => {
    const siege = new Siege(world)
    const before = siege.client.endings.length
    const attackers = Array.from({ length: 150 }, (_, i) =>
      world.peer(`bot${i}`, { torrent: siege.torrent, ...silent }),
    )
    for (let round = 0; round < 6; round++) {
      for (const attacker of attackers) attacker.connect(siege.client.endpoint)
      world.run({ ms: 100 })
      for (const { connection } of attackers) {
        if (connection.closed === undefined) connection.sendRaw(concatBytes(exchange.publicKey, noise(600)))
      }
      world.run({ ms: 60 })
    }
    world.run({ seconds: 2 })
    const codes = siege.client.endings.slice(before).map(({ code }) => code)
    expect(codes.filter((code) => code === 'syncHashNotFound').length).toBeLessThan(EXCHANGES_PER_SECOND * 2)
    expect(codes).toContain('tooManyConnections')
    siege.survive()
  },
  ONCE,
)

scenario(
  'a stranger who speaks plainly where that is forbidden, or secretly where that is, is told nothing',
  (world) => {
    const siege = new Siege(world)
    const { session } = siege.client
    siege.client.torrent.status()
    session.setPeSettings({ inEncPolicy: EncPolicy.forced })
    const plain = siege.attacker(silent)
    plain.sendRaw(plainHandshake(siege.torrent.infoHash.bytes).subarray(0, 20))
    world.run({ seconds: 1 })
    session.setPeSettings({ inEncPolicy: EncPolicy.disabled })
    const secret = siege.attacker(silent)
    secret.sendRaw(exchange.publicKey.subarray(0, 1))
    world.run({ seconds: 1 })
    expect(siege.verdicts).toEqual(['noIncomingRegular', 'noIncomingEncrypted'])
    session.setPeSettings({ inEncPolicy: EncPolicy.enabled })
    siege.survive()
  },
  ONCE,
)
