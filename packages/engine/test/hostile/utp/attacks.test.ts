import { describe, expect, test } from 'vitest'
import { SeededRandom } from '../../../sim/seededRandom.ts'
import { VirtualTime } from '../../../sim/virtualTime.ts'
import type { Endpoint } from '../../../src/address/endpoint.ts'
import type { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import type { Stream } from '../../../src/platform/tcp.ts'
import { MOST_HALF_OPEN } from '../../../src/utp/halfOpen.ts'
import { LARGEST_WINDOW_BYTES } from '../../../src/utp/ledbat.ts'
import { PacketType, readHeader, stampHeader, UtpHeader, writeHeader } from '../../../src/utp/utpHeader.ts'
import { defaultUtpSettings } from '../../../src/utp/utpSettings.ts'
import { UtpSockets } from '../../../src/utp/utpSockets.ts'

const MALLORY = { address: '66.6.6.6', port: 666 }

interface Sent {
  readonly header: UtpHeader
  readonly bytes: Uint8Array
  readonly to: Endpoint
}

/** uTP with nobody but the test at the other end of the line. */
class Victim {
  readonly time = new VirtualTime()
  readonly sent: Sent[] = []
  readonly accepted: Stream[] = []
  readonly faults: unknown[] = []
  received = 0
  closed: LibtorrentError | null | undefined
  readonly utp: UtpSockets

  constructor(settings = {}) {
    this.utp = new UtpSockets({
      clock: this.time,
      timers: this.time,
      random: new SeededRandom(1),
      settings: { ...defaultUtpSettings, ...settings },
      local: { address: '50.0.0.1', port: 6881 },
      send: (packet, to) => {
        const header = new UtpHeader()
        readHeader(packet, header)
        this.sent.push({ header, bytes: new Uint8Array(packet), to })
      },
      onUtpAccept: (stream) => {
        this.accepted.push(stream)
        stream.setHandler(this.handler)
      },
      onFault: (cause) => this.faults.push(cause),
    })
  }

  readonly handler = {
    onConnected: () => {},
    onData: (chunk: Uint8Array) => {
      this.received += chunk.length
    },
    onDrain: () => {},
    onClosed: (error: LibtorrentError | null) => {
      this.closed = error
    },
  }

  /** What was sent since the last time. */
  take(): Sent[] {
    return this.sent.splice(0)
  }

  pass(ms: number): void {
    this.time.run({ ms })
  }
}

interface Fields {
  readonly type: number
  readonly id: number
  readonly seq: number
  readonly ack: number
  readonly window?: number
  readonly timestamp?: number
  readonly difference?: number
  readonly payload?: Uint8Array
  readonly sack?: Uint8Array
}

function packet(fields: Fields): Uint8Array {
  const { payload = new Uint8Array(0), sack } = fields
  const extension = sack === undefined ? 0 : 2 + sack.length
  const bytes = new Uint8Array(20 + extension + payload.length)
  writeHeader(bytes, fields.type, fields.id, fields.seq)
  stampHeader(bytes, fields.timestamp ?? 1, fields.difference ?? 1000, fields.window ?? 1 << 20, fields.ack)
  if (sack !== undefined) {
    bytes[1] = 1
    bytes[21] = sack.length
    bytes.set(sack, 22)
  }
  bytes.set(payload, 20 + extension)
  return bytes
}

/** A connection that Mallory opened to the victim. */
function opened(settings = {}) {
  const victim = new Victim(settings)
  victim.utp.incoming(packet({ type: PacketType.syn, id: 100, seq: 500, ack: 0 }), MALLORY)
  const [{ header }] = victim.take()
  const first = header.seq
  const mallory = {
    victim,
    /** The number of the victim's first packet. */
    first,
    say: (fields: Partial<Fields>) =>
      victim.utp.incoming(
        packet({ type: PacketType.state, id: 101, seq: 501, ack: (first - 1) & 0xffff, ...fields }),
        MALLORY,
      ),
    stream: null as unknown as Stream,
  }
  mallory.say({})
  victim.pass(1)
  victim.take()
  mallory.stream = victim.accepted[0]
  return mallory
}

const payloadBytes = (sent: readonly Sent[]) =>
  sent.reduce((sum, { header, bytes }) => sum + bytes.length - header.payloadAt, 0)

describe('strangers', () => {
  test('a flood of SYNs from forged addresses keeps small records only, of which there is a limit, and opens nothing', () => {
    const victim = new Victim()
    for (let i = 0; i < 100_000; i++) {
      const from = { address: `60.${i & 255}.${(i >> 8) & 255}.1`, port: 1 + (i % 60_000) }
      victim.utp.incoming(packet({ type: PacketType.syn, id: i & 0xffff, seq: i & 0xffff, ack: 0 }), from)
    }
    expect(victim.utp.halfOpenCount).toBe(MOST_HALF_OPEN)
    expect(victim.utp.size).toBe(0)
    expect(victim.accepted.length).toBe(0)
    // As many bytes as came, at most.
    expect(victim.sent.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThanOrEqual(100_000 * 20)
  })

  test('somebody who answers at once gets in during a flood', () => {
    const victim = new Victim()
    let entered = 0
    for (let round = 0; round < 100; round++) {
      const from = { address: '70.0.0.1', port: 1000 + round }
      victim.utp.incoming(packet({ type: PacketType.syn, id: 7, seq: 1, ack: 0 }), from)
      const firstSeq = victim.take().at(-1)!.header.seq
      for (let i = 0; i < 100; i++) {
        const forged = { address: `60.1.${round}.${i}`, port: 5 }
        victim.utp.incoming(packet({ type: PacketType.syn, id: 9, seq: 1, ack: 0 }), forged)
      }
      victim.take()
      victim.utp.incoming(packet({ type: PacketType.state, id: 8, seq: 2, ack: (firstSeq - 1) & 0xffff }), from)
      entered = victim.accepted.length
    }
    expect(entered).toBeGreaterThan(80)
  })

  test('who never saw our answer cannot become a connection by guessing a few times', () => {
    const victim = new Victim()
    victim.utp.incoming(packet({ type: PacketType.syn, id: 100, seq: 500, ack: 0 }), MALLORY)
    const { header } = victim.take()[0]
    for (let wrong = 1; wrong < 200; wrong++) {
      victim.utp.incoming(
        packet({ type: PacketType.data, id: 101, seq: 501, ack: (header.seq - 1 + wrong) & 0xffff }),
        MALLORY,
      )
    }
    expect(victim.accepted.length).toBe(0)
    expect(victim.utp.size).toBe(0)
    // Nor end it: a reset would tell the one who is really there to go away.
    expect(victim.take()).toEqual([])
  })

  test('who answers twenty seconds after its SYN has to connect anew', () => {
    const victim = new Victim()
    const answer = () => {
      victim.utp.incoming(packet({ type: PacketType.syn, id: 100, seq: 500, ack: 0 }), MALLORY)
      return (victim.take()[0].header.seq - 1) & 0xffff
    }
    const late = answer()
    victim.pass(20_001)
    victim.utp.incoming(packet({ type: PacketType.state, id: 101, seq: 501, ack: late }), MALLORY)
    expect(victim.accepted.length).toBe(0)
    victim.take()
    const ack = answer()
    victim.pass(19_000)
    victim.utp.incoming(packet({ type: PacketType.state, id: 101, seq: 501, ack }), MALLORY)
    expect(victim.accepted.length).toBe(1)
  })

  test('there is a limit to connections, and to those that differ by address alone', () => {
    const open = (victim: Victim, from: Endpoint) => {
      victim.utp.incoming(packet({ type: PacketType.syn, id: 7, seq: 1, ack: 0 }), from)
      const answer = victim.take()[0]
      if (answer === undefined) return
      victim.utp.incoming(
        packet({ type: PacketType.state, id: 8, seq: 2, ack: (answer.header.seq - 1) & 0xffff }),
        from,
      )
    }
    const victim = new Victim({ connectionsLimit: 10 })
    for (let i = 0; i < 100; i++) open(victim, { address: '70.0.0.1', port: 1000 + i })
    expect(victim.utp.size).toBe(20)
    const other = new Victim()
    for (let i = 0; i < 100; i++) open(other, { address: `70.0.0.${i}`, port: 1000 })
    expect(other.utp.size).toBe(8)
  })

  test('the limit holds for those, too, who had all asked before the first of them was let in', () => {
    const victim = new Victim({ connectionsLimit: 10 })
    const from = (i: number) => ({ address: '70.0.0.1', port: 1000 + i })
    for (let i = 0; i < 100; i++) victim.utp.incoming(packet({ type: PacketType.syn, id: 7, seq: 1, ack: 0 }), from(i))
    for (const [i, { header }] of victim.take().entries()) {
      victim.utp.incoming(packet({ type: PacketType.state, id: 8, seq: 2, ack: (header.seq - 1) & 0xffff }), from(i))
    }
    expect(victim.utp.size).toBe(20)
    expect(victim.utp.counters.refusedSyns).toBe(80)
    const other = new Victim()
    for (let i = 0; i < 100; i++) {
      const address = `70.0.0.${i}`
      other.utp.incoming(packet({ type: PacketType.syn, id: 7, seq: 1, ack: 0 }), { address, port: 1000 })
    }
    for (const { header, to } of other.take()) {
      other.utp.incoming(packet({ type: PacketType.state, id: 8, seq: 2, ack: (header.seq - 1) & 0xffff }), to)
    }
    expect(other.utp.size).toBe(8)
  })

  test('packets of no connection get a reset that is no larger than they are, fifty a second, and resets get nothing', () => {
    const victim = new Victim()
    for (let i = 0; i < 10_000; i++) {
      victim.utp.incoming(packet({ type: PacketType.data, id: i & 0xffff, seq: 1, ack: 1 }), MALLORY)
    }
    const resets = victim.take()
    expect(resets.length).toBe(50)
    expect(resets.every(({ header, bytes }) => header.type === PacketType.reset && bytes.length === 20)).toBe(true)
    victim.pass(1000)
    for (let i = 0; i < 1000; i++) {
      victim.utp.incoming(packet({ type: PacketType.reset, id: i, seq: 1, ack: 1 }), MALLORY)
    }
    expect(victim.take()).toEqual([])
  })

  test('two of ours that know nothing of each other do not send resets back and forth', () => {
    const [one, two] = [new Victim(), new Victim()]
    one.utp.incoming(packet({ type: PacketType.data, id: 5, seq: 1, ack: 1 }), { address: '50.0.0.2', port: 1 })
    let rounds = 0
    for (let from = one, to = two; from.sent.length > 0; [from, to] = [to, from]) {
      for (const { bytes } of from.take()) to.utp.incoming(bytes, { address: '50.0.0.3', port: 1 })
      rounds++
    }
    expect(rounds).toBe(1)
  })

  test('extensions without length, and chains of them, end with the packet', () => {
    const victim = new Victim()
    const bytes = packet({ type: PacketType.data, id: 5, seq: 1, ack: 1, payload: new Uint8Array(65_000) })
    bytes[1] = 9
    for (let at = 20; at < bytes.length; at += 2) bytes[at] = 9
    expect(victim.utp.incoming(bytes, MALLORY)).toBe(true)
    expect(victim.utp.counters.invalidPacketsIn).toBe(1)
  })
})

describe('somebody who knows the connection but not its secrets', () => {
  test('cannot end it from another endpoint, or with a reset that names no packet of ours', () => {
    const { victim, first } = opened()
    const reset = (id: number, ack: number, from: Endpoint) =>
      victim.utp.incoming(packet({ type: PacketType.reset, id, seq: 1, ack }), from)
    reset(101, first, { address: MALLORY.address, port: 667 })
    reset(101, first, { address: '66.6.6.7', port: 666 })
    reset(100, (first + 100) & 0xffff, MALLORY)
    reset(101, (first + 30_000) & 0xffff, MALLORY)
    expect(victim.closed).toBe(undefined)
    reset(100, first, MALLORY)
    expect(victim.closed).toMatchObject({ code: 'ECONNRESET' })
  })

  test('cannot put data into it', () => {
    const { victim, say, first } = opened()
    const payload = new Uint8Array(100)
    victim.utp.incoming(packet({ type: PacketType.data, id: 101, seq: 501, ack: first - 1, payload }), {
      address: '66.6.6.7',
      port: 666,
    })
    say({ type: PacketType.data, ack: (first + 5000) & 0xffff, payload })
    say({ type: PacketType.data, ack: (first - 5000) & 0xffff, payload })
    expect(victim.received).toBe(0)
    say({ type: PacketType.data, payload })
    expect(victim.received).toBe(100)
  })
})

describe('a receiver that lies', () => {
  /** Mallory acknowledges in a way of her own, a packet every 10 ms for a second; what did she get? */
  function gained(lie: (m: ReturnType<typeof opened>, last: number) => Partial<Fields>, difference = 1000) {
    const m = opened()
    const block = new Uint8Array(16_384)
    let most = 0
    for (let i = 0; i < 100; i++) {
      while (m.stream.unsentBytes < 500_000) m.stream.write(block)
      m.victim.pass(10)
      const last =
        (m.victim.sent.filter(({ header }) => header.type === PacketType.data).at(-1)?.header.seq ?? m.first - 1) &
        0xffff
      m.say({ difference, ...lie(m, last) })
      const socket = m.stream as unknown as { sender: { bytesInFlight: number } }
      most = Math.max(most, socket.sender.bytesInFlight)
    }
    expect(m.victim.faults).toEqual([])
    return { bytes: payloadBytes(m.victim.sent), inFlight: most }
  }

  test('about packets that were never sent gets what somebody gets who is silent', () => {
    const silent = gained((m) => ({ ack: (m.first - 1) & 0xffff, seq: 501 }))
    for (const ahead of [1, 2, 100, 20_000]) {
      const liar = gained((_, last) => ({ ack: (last + ahead) & 0xffff }))
      expect(liar.bytes).toBeLessThanOrEqual(silent.bytes)
    }
  })

  test('with bits for packets that were never sent gets no more than for those that were', () => {
    const sack = new Uint8Array(252).fill(0xff)
    const liar = gained((m) => ({ ack: (m.first - 1) & 0xffff, sack }))
    const honest = gained((_, last) => ({ ack: last }))
    expect(liar.bytes).toBeLessThan(honest.bytes)
  })

  test('about delays and windows makes us keep no more under way than there is room for', () => {
    for (const difference of [1, 0, 0x7fffffff, 0x80000000, 0xffffffff]) {
      const { inFlight } = gained((_, last) => ({ ack: last, window: 0xffffffff, difference }), difference)
      expect(inFlight).toBeLessThanOrEqual(LARGEST_WINDOW_BYTES)
    }
    let i = 0
    const wild = gained((_, last) => ({ ack: last, timestamp: (i += 0x3fffffff), difference: (i * 7) >>> 0 }))
    expect(wild.inFlight).toBeLessThanOrEqual(LARGEST_WINDOW_BYTES)
  })

  test('about a window of a byte gets a byte at a time', () => {
    const { bytes } = gained((_, last) => ({ ack: last, window: 1 }))
    // What was sent before the first such ack, and a byte for each.
    expect(bytes).toBeLessThan(4380 + 200)
  })

  test('with its window closed for ever is asked ever more seldom, and kept as long as it answers', () => {
    const m = opened()
    m.say({ window: 0 })
    m.stream.write(new Uint8Array(100_000))
    m.victim.pass(1)
    m.victim.take()
    let packets = 0
    for (let second = 0; second < 3600; second++) {
      m.victim.pass(1000)
      if (m.victim.take().length > 0) {
        packets++
        m.say({ window: 0 })
      }
    }
    expect(m.victim.closed).toBe(undefined)
    expect(packets).toBeLessThan(80)
    m.victim.pass(600_000)
    expect(m.victim.closed).toMatchObject({ code: 'ETIMEDOUT' })
  })

  test('that talks on and on, has room, and acknowledges nothing does not keep our packets for ever', () => {
    for (const type of [PacketType.state, PacketType.data]) {
      const m = opened()
      m.say({ window: 1 << 20 })
      m.stream.write(new Uint8Array(100_000))
      let seconds = 0
      for (; seconds < 3600 && m.victim.closed === undefined; seconds++) {
        m.victim.pass(1000)
        m.say({ type, seq: 501 + seconds, window: 1 << 20, payload: new Uint8Array(1) })
      }
      // As long as the network may be gone for, and not longer.
      expect(seconds).toBeGreaterThan(120)
      expect(seconds).toBeLessThan(600)
      expect(m.victim.closed).toMatchObject({ code: 'ETIMEDOUT' })
      m.victim.pass(60_000)
      expect(m.victim.utp.size).toBe(0)
    }
  })

  test('that answers in another order than it was asked does not reopen a window it has closed', () => {
    const m = opened()
    m.say({ window: 0, timestamp: 1000 })
    m.say({ window: 1 << 20, timestamp: 900 })
    m.stream.write(new Uint8Array(100))
    m.victim.pass(100)
    expect(payloadBytes(m.victim.take())).toBe(0)
    m.say({ window: 1 << 20, timestamp: 1100 })
    m.victim.pass(100)
    expect(payloadBytes(m.victim.take())).toBe(100)
  })

  test('that takes its window back does not lose what is under way', () => {
    const m = opened()
    m.stream.write(new Uint8Array(4000))
    m.victim.pass(1)
    m.say({ window: 0 })
    m.victim.take()
    m.victim.pass(1100)
    const again = m.victim.take()
    // One packet at a time, as after any timeout.
    expect(again.length).toBe(1)
    m.say({ window: 1 << 20, ack: again[0].header.seq })
    m.victim.pass(10)
    expect(m.victim.take().length).toBeGreaterThan(0)
    expect(m.victim.closed).toBe(undefined)
  })
})

describe('a sender that lies', () => {
  /** What the connection keeps. */
  const kept = (stream: Stream) => {
    const { receiver } = stream as unknown as { receiver: { window: number } }
    return 1024 * 1024 - receiver.window
  }

  test('cannot make us keep more than our window, with packets far ahead of their turn', () => {
    const { victim, say, stream } = opened()
    for (let i = 1; i < 5000; i++) {
      say({ type: PacketType.data, seq: (501 + i) & 0xffff, payload: new Uint8Array(1400) })
      if (i % 100 === 0) victim.pass(1)
    }
    expect(kept(stream)).toBeLessThanOrEqual(1024 * 1024)
    expect(kept(stream)).toBeGreaterThan(1_000_000)
    expect(victim.received).toBe(0)
    // And tells so.
    victim.pass(1)
    expect(victim.sent.at(-1)!.header.window).toBe(1024 * 1024 - kept(stream))
  })

  test('cannot make us keep more than our window while the reader pauses, whatever the size of its packets', () => {
    for (const size of [1, 1400, 60_000]) {
      const { victim, say, stream } = opened()
      stream.pauseReading()
      let seq = 501
      for (let i = 0; i < 3000; i++) {
        say({ type: PacketType.data, seq, payload: new Uint8Array(size) })
        victim.pass(1)
        seq = (victim.take().at(-1)!.header.ack + 1) & 0xffff
      }
      expect(kept(stream)).toBeLessThanOrEqual(1024 * 1024)
      const before = kept(stream)
      stream.resumeReading()
      victim.pass(1)
      expect(victim.received).toBe(before)
    }
  })

  test('cannot make us keep more than our window with packets as large as UDP carries', () => {
    const { victim, say, stream } = opened()
    for (let i = 1; i < 200; i++) say({ type: PacketType.data, seq: 501 + i, payload: new Uint8Array(60_000) })
    expect(kept(stream)).toBeLessThanOrEqual(1024 * 1024)
    expect(kept(stream)).toBeGreaterThan(900_000)
    expect(victim.received).toBe(0)
  })

  test('is told at once of a packet that is missing, though acks may wait', () => {
    const { victim, say } = opened({ utpDelayedAck: 100 })
    const payload = new Uint8Array(10)
    say({ type: PacketType.data, payload })
    victim.pass(10)
    expect(victim.take()).toEqual([])
    victim.pass(100)
    expect(victim.take().length).toBe(1)
    say({ type: PacketType.data, seq: 503, payload })
    victim.pass(10)
    expect(victim.take()[0].header).toMatchObject({ ack: 501, sackBytes: 4 })
  })

  test('that ends before what it has said, or says more behind its end, changes nothing', () => {
    const { victim, say } = opened()
    const payload = new Uint8Array(10)
    say({ type: PacketType.data, payload })
    say({ type: PacketType.fin, seq: 500 })
    expect(victim.closed).toBe(undefined)
    say({ type: PacketType.fin, seq: 503 })
    say({ type: PacketType.fin, seq: 510 })
    say({ type: PacketType.data, seq: 503, payload })
    say({ type: PacketType.data, seq: 505, payload })
    expect(victim.closed).toBe(undefined)
    say({ type: PacketType.data, seq: 502, payload })
    expect(victim.received).toBe(20)
    expect(victim.closed).toBe(null)
    say({ type: PacketType.data, seq: 504, payload })
    expect(victim.received).toBe(20)
    victim.pass(60_000)
    expect(victim.utp.size).toBe(0)
  })

  test('of a SYN within a connection gets its first answer again, or none', () => {
    const { victim } = opened()
    victim.utp.incoming(packet({ type: PacketType.syn, id: 100, seq: 500, ack: 0 }), MALLORY)
    victim.utp.incoming(packet({ type: PacketType.syn, id: 100, seq: 77, ack: 0 }), MALLORY)
    victim.pass(1)
    expect(victim.take().length).toBe(1)
    expect(victim.utp.size).toBe(1)
    expect(victim.accepted.length).toBe(1)
  })
})

test('any packets in any order, from somebody who knows the connection, never throw and never make it keep too much', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new SeededRandom(seed)
    const { victim, first, stream } = opened()
    const near = (value: number) => (value + random.below(12) - 4) & 0xffff
    for (let i = 0; i < 2000; i++) {
      if (random.chance(0.1)) stream.write(random.bytes(random.below(5000)))
      if (random.chance(0.01)) stream.pauseReading()
      if (random.chance(0.02)) stream.resumeReading()
      if (i === 1800) stream.end()
      const { sender, receiver } = stream as unknown as {
        sender: { nextSeq: number }
        receiver: { ack: number; window: number }
      }
      victim.utp.incoming(
        packet({
          type: random.chance(0.001) ? PacketType.reset : random.below(3),
          id: 101,
          seq: random.chance(0.9) ? near(receiver.ack) : random.below(0x10000),
          ack: random.chance(0.9) ? near(sender.nextSeq - 3) : near(first),
          window: random.chance(0.5) ? random.u32() : random.below(5000),
          timestamp: random.u32(),
          difference: random.u32(),
          payload: random.bytes(random.below(3) * 700),
          sack: random.chance(0.3) ? random.bytes(random.below(20)) : undefined,
        }),
        MALLORY,
      )
      if (random.chance(0.3)) victim.pass(random.below(300))
      expect(receiver.window).toBeGreaterThanOrEqual(0)
    }
    stream.destroy()
    victim.pass(120_000)
    expect(victim.faults).toEqual([])
    expect(victim.utp.size).toBe(0)
    expect(victim.time.pending).toBe(0)
  }
})
