import { describe, expect, test } from 'vitest'
import { PacketPool } from '../../../src/utp/packetPool.ts'
import { UtpCounters } from '../../../src/utp/utpCounters.ts'
import { UtpHeader } from '../../../src/utp/utpHeader.ts'
import { UtpSender } from '../../../src/utp/utpSender.ts'
import { defaultUtpSettings, type UtpSettings } from '../../../src/utp/utpSettings.ts'

const EMPTY = new Uint8Array(0)
const BLOCK = new Uint8Array(16 * 1024)
const RTT = 10

/** A sender with much to send, and somebody who acknowledges what the test says. */
class Scene {
  now = 0
  readonly counters = new UtpCounters()
  readonly sender: UtpSender

  constructor(firstSeq = 0, settings: Partial<UtpSettings> = {}, knowsSize = true) {
    const { counters } = this
    this.sender = new UtpSender(
      {
        settings: { ...defaultUtpSettings, ...settings },
        counters,
        pool: new PacketPool(),
        sendId: 1,
        transmit: () => void counters.packetsOut++,
      },
      '9.9.9.9',
      firstSeq,
    )
    this.sender.setPeerWindow(1 << 20)
    // The first packet shows how large packets may be; its loss would say nothing else.
    if (knowsSize) this.pass()
  }

  /** A round trip without loss. Returns how many packets went. */
  pass(): number {
    this.send()
    const { span } = this.sender
    this.ack(this.last)
    return span
  }

  /** Sends all that may go, in a round trip. */
  send(): void {
    while (this.sender.queue.length < 1 << 20) this.sender.queue.push(BLOCK)
    for (let i = 0; i < RTT; i++) {
      this.sender.send(this.now)
      this.now++
    }
  }

  /** `ack` is the last packet in order; `sack`: bits of those behind the first missing one. */
  ack(ack: number, sack = EMPTY, delay = 0): void {
    const header = new UtpHeader()
    header.ack = ack & 0xffff
    header.sackBytes = sack.length
    this.sender.acked(header, sack, delay, true, this.now)
  }

  /** The packet before the next one to be sent. */
  get last(): number {
    return this.sender.nextSeq - 1
  }

  /** The first packet under way gets lost, those behind it arrive. Returns what is left of the window. */
  lose(): number {
    this.send()
    const before = this.sender.window.bytes
    this.ack(this.last - this.sender.span, new Uint8Array(4).fill(0xff))
    return this.sender.window.bytes / before
  }
}

describe('a loss', () => {
  for (const packets of [100, 32_000, 33_000, 50_000, 65_000, 66_000, 100_000]) {
    test(`is paid for when ${packets} packets went since the one before`, () => {
      const scene = new Scene(60_000)
      expect(scene.lose()).toBeLessThan(0.8)
      for (let sent = 0; sent < packets; ) sent += scene.pass()
      expect(scene.lose()).toBeLessThan(0.8)
    })
  }
})

test('utp_cwnd_reduce_timer is the least time between two cuts', () => {
  for (const [utpCwndReduceTimer, isCut] of [
    [0, true],
    [1000, false],
  ] as const) {
    const scene = new Scene(0, { utpCwndReduceTimer })
    for (let i = 0; i < 10; i++) scene.pass()
    scene.lose()
    scene.pass()
    expect(scene.lose() < 0.8).toBe(isCut)
  }
})

test('three acks that say the same tell of a loss where there is no selective ack', () => {
  const scene = new Scene()
  for (let i = 0; i < 5; i++) scene.pass()
  scene.send()
  const before = scene.last - scene.sender.span
  for (let i = 0; i < 2; i++) scene.ack(before)
  expect(scene.counters.fastRetransmit).toBe(0)
  scene.ack(before)
  expect(scene.counters.fastRetransmit).toBe(1)
  for (let i = 0; i < 10; i++) scene.ack(before)
  expect(scene.counters.fastRetransmit).toBe(1)
})

test('a packet that was sent twice tells nothing of the round trip', () => {
  const scene = new Scene()
  for (let i = 0; i < 5; i++) scene.pass()
  scene.send()
  scene.now += 5000
  scene.sender.timedOut(scene.now, 3)
  scene.sender.send(scene.now)
  const before = scene.sender.rtt.smoothed
  scene.now += 300
  scene.ack(scene.last - scene.sender.span + 1)
  expect(scene.sender.rtt.smoothed).toBe(before)
})

test('no packet waits longer in queues than it is on its way', () => {
  const scene = new Scene()
  scene.send()
  scene.ack(scene.last, EMPTY, 5000)
  expect(scene.sender.window.isSlowStart).toBe(true)
})

test('the loss of a packet that tried a size says nothing of the window', () => {
  const scene = new Scene(0, {}, false)
  expect(scene.lose()).toBeGreaterThan(1)
  expect(scene.counters.fastRetransmit).toBe(1)
})

test('of the last packets of all a loss is seen though fewer than three follow', () => {
  const scene = new Scene()
  scene.send()
  scene.ack(scene.last)
  scene.sender.queue.clear()
  scene.sender.queue.push(new Uint8Array(3000))
  scene.now += 100
  scene.sender.send(scene.now)
  expect(scene.sender.span).toBe(3)
  scene.ack(scene.last - 3, Uint8Array.of(3, 0, 0, 0))
  expect(scene.counters.fastRetransmit).toBe(1)
})

test('a small packet waits while another is under way, until it is acknowledged or full (Nagle)', () => {
  const scene = new Scene()
  scene.sender.queue.clear()
  const write = () => {
    scene.sender.queue.push(new Uint8Array(10))
    scene.now += 20
    return scene.sender.send(scene.now)
  }
  expect([write(), write(), write()]).toEqual([1, 0, 0])
  scene.ack(scene.last)
  expect(scene.sender.send(scene.now)).toBe(1)
  expect(scene.sender.queue.length).toBe(0)
})

test('there are never more packets under way than their numbers can tell apart', () => {
  const scene = new Scene()
  scene.sender.setPeerWindow(0xffff_ffff)
  let most = 0
  for (let i = 0; i < 40; i++) {
    for (let turn = 0; turn < 40; turn++) scene.send()
    most = Math.max(most, scene.sender.span)
    if (most > 8192) break
    scene.ack(scene.last)
  }
  expect(most).toBe(8192)
})
