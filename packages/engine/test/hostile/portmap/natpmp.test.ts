import { describe, expect, test } from 'vitest'
import { encodeNatpmpMap } from '../../../src/portmap/natpmpMessages.ts'
import { readU16, writeU32 } from '../../../src/util/bytes.ts'
import { type PortmapScene, portmapScene } from '../../unit/portmap/fakes.ts'

const GATEWAY = { address: '192.168.1.1', port: 5351 }

function scene(): PortmapScene {
  const made = portmapScene()
  made.mapper.addMapping('tcp', 6881, 6881)
  made.mapper.startNatpmp()
  made.time.pass(10)
  return made
}

/** A good answer to the PCP request sent last, changed where a test wants. */
function pcpAnswer({ udp }: PortmapScene, changes: Readonly<Record<number, number>> = {}): Uint8Array {
  const packet = udp.sent[udp.sent.length - 1].packet.slice()
  packet[1] |= 0x80
  packet.set([0, 0], 2)
  writeU32(packet, 8, 100)
  for (const [at, value] of Object.entries(changes)) packet[Number(at)] = value
  return packet
}

function natpmpAnswer(result = 0, epoch = 100, lifetime = 3600): Uint8Array {
  const packet = new Uint8Array(16)
  packet.set(encodeNatpmpMap('tcp', 6881, 6881, lifetime).subarray(4, 8), 8)
  packet.set([0, 0x82, 0, result])
  writeU32(packet, 4, epoch)
  writeU32(packet, 12, lifetime)
  return packet
}

const UNSUPPORTED = Uint8Array.of(0, 0x81, 0, 1, 0, 0, 0, 9)

describe('an answer is believed only', () => {
  test.each([
    ['from another address', { address: '192.168.1.7', port: 5351 }],
    ['from another port', { address: '192.168.1.1', port: 5350 }],
    ['from the internet', { address: '8.8.8.8', port: 5351 }],
  ])('from the gateway, not %s', (_, from) => {
    const made = scene()
    made.udp.deliver(pcpAnswer(made), from)
    made.udp.deliver(UNSUPPORTED, from)
    expect(made.mapped).toEqual([])
    made.udp.deliver(pcpAnswer(made), GATEWAY)
    expect(made.mapped).toHaveLength(1)
  })

  test.each([
    ['another nonce', { 24: 0xaa, 25: 0xbb, 26: 0xcc }],
    ['another protocol', { 36: 17 }],
    ['another local port', { 40: 1, 41: 1 }],
    ['a request', { 1: 1 }],
    ['another operation', { 1: 0x82 }],
  ])('when it answers what was asked, not with %s', (_, changes) => {
    const made = scene()
    made.udp.deliver(pcpAnswer(made, changes), GATEWAY)
    expect([made.mapped, made.failed]).toEqual([[], []])
  })

  test('once', () => {
    const made = scene()
    const answer = pcpAnswer(made)
    const sent = made.udp.sent.length
    for (let i = 0; i < 1000; i++) made.udp.deliver(answer, GATEWAY)
    expect(made.mapped).toHaveLength(1)
    expect(made.udp.sent).toHaveLength(sent)
  })
})

test('each mapping has a nonce of twelve bytes of its own, which renewals keep (security audit F4)', () => {
  const made = portmapScene()
  for (let port = 6881; port < 6891; port++) made.mapper.addMapping('tcp', port, port)
  made.mapper.startNatpmp()
  const nonces = new Map<number, Set<string>>()
  for (let second = 0; second < 3 * 3600; second++) {
    made.time.pass(1000)
    const { packet } = made.udp.sent[made.udp.sent.length - 1]
    const port = readU16(packet, 40)
    nonces.set(port, (nonces.get(port) ?? new Set()).add(Buffer.from(packet.subarray(24, 36)).toString('hex')))
    made.udp.deliver(pcpAnswer(made, { 10: (second >> 8) & 0xff, 11: second & 0xff }), GATEWAY)
  }
  expect([...nonces.values()].every((each) => each.size === 1)).toBe(true)
  expect(new Set([...nonces.values()].flatMap((each) => [...each])).size).toBe(10)
})

describe('a router that makes fun of us', () => {
  /** Packets sent within an hour when each is answered at once. */
  function hourOf(answer: (made: PortmapScene, second: number) => Uint8Array): number {
    const made = scene()
    for (let second = 0; second < 3600; second++) {
      made.udp.deliver(answer(made, second), GATEWAY)
      made.time.pass(1000)
    }
    expect(made.failed.length).toBeLessThanOrEqual(1)
    return made.udp.sent.length
  }

  test('leases of a second are renewed twice a minute', () => {
    expect(hourOf((made) => pcpAnswer(made, { 4: 0, 5: 0, 6: 0, 7: 1 }))).toBeLessThan(150)
  })

  test('leases of 136 years are renewed within a day', () => {
    const made = scene()
    made.udp.deliver(pcpAnswer(made, { 4: 0xff, 5: 0xff, 6: 0xff, 7: 0xff }), GATEWAY)
    const sent = made.udp.sent.length
    made.time.pass(12 * 3600 * 1000)
    expect(made.udp.sent.length).toBeGreaterThan(sent)
  })

  test('a clock that starts again with each answer makes no storm', () => {
    expect(hourOf((made, second) => pcpAnswer(made, { 11: second % 2 === 0 ? 200 : 1 }))).toBeLessThan(400)
  })

  test('errors that may be retried at once are retried after half a minute', () => {
    expect(hourOf((made) => pcpAnswer(made, { 3: 8, 4: 0, 5: 0, 6: 0, 7: 0 }))).toBeLessThan(150)
  })

  test('both versions refused are an error, and the end for two hours', () => {
    expect(hourOf(() => UNSUPPORTED)).toBeLessThan(20)
  })

  test('a port of 0, or a lifetime of 0, is no mapping', () => {
    const answers: Readonly<Record<number, number>>[] = [
      { 42: 0, 43: 0 },
      { 4: 0, 5: 0, 6: 0, 7: 0 },
    ]
    for (const changes of answers) {
      const made = scene()
      made.udp.deliver(pcpAnswer(made, changes), GATEWAY)
      expect(made.mapped).toEqual([])
      expect(made.failed).toHaveLength(1)
    }
  })

  test('NAT-PMP: an answer to PCP in NAT-PMP turns to it, and back to nothing else', () => {
    const made = scene()
    made.udp.deliver(UNSUPPORTED, GATEWAY)
    // Asked for the address first.
    made.udp.deliver(Uint8Array.of(0, 0x80, 0, 0, 0, 0, 0, 100, 203, 0, 113, 5), GATEWAY)
    made.udp.deliver(natpmpAnswer(), GATEWAY)
    expect(made.mapped).toMatchObject([{ externalPort: 6881, externalAddress: '203.0.113.5' }])
  })
})

describe('announcements of a restart', () => {
  const announcement = (epoch: number) => Uint8Array.of(0, 0x80, 0, 0, 0, 0, epoch >> 8, epoch, 203, 0, 113, 5)

  function mapped(): PortmapScene {
    const made = scene()
    made.udp.deliver(pcpAnswer(made, { 10: 100 }), GATEWAY)
    expect(made.mapped).toHaveLength(1)
    return made
  }

  test('from anybody but the gateway are ignored', () => {
    const made = mapped()
    const sent = made.udp.sent.length
    made.localNetwork.deliver(5350, announcement(0), { address: '192.168.1.7', port: 5351 })
    made.localNetwork.deliver(5350, announcement(0), { address: '192.168.1.1', port: 4000 })
    made.time.pass(60_000)
    expect(made.udp.sent).toHaveLength(sent)
  })

  test('by the thousand make one renewal in half a minute', () => {
    const made = mapped()
    const sent = made.udp.sent.length
    for (let i = 0; i < 1000; i++) made.localNetwork.deliver(5350, announcement(i % 2 === 0 ? 60_000 : 0), GATEWAY)
    made.time.pass(5000)
    made.udp.deliver(pcpAnswer(made), GATEWAY)
    made.time.pass(20_000)
    expect(made.udp.sent.length - sent).toBeLessThan(12)
  })
})
