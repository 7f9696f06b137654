import { describe, expect, test } from 'vitest'
import { PacketPool } from '../../../src/utp/packetPool.ts'
import { UtpCounters } from '../../../src/utp/utpCounters.ts'
import { UtpHeader } from '../../../src/utp/utpHeader.ts'
import { UtpSender } from '../../../src/utp/utpSender.ts'
import { defaultUtpSettings } from '../../../src/utp/utpSettings.ts'

const EMPTY = new Uint8Array(0)
const BLOCK = new Uint8Array(16 * 1024)
const RTT = 10

/** A sender with much to send, and somebody who acknowledges what the test says. */
class Scene {
  now = 0
  readonly counters = new UtpCounters()
  readonly sender: UtpSender

  constructor(firstSeq = 0) {
    const { counters } = this
    this.sender = new UtpSender(
      { settings: defaultUtpSettings, counters, pool: new PacketPool(), sendId: 1, transmit: () => {} },
      '9.9.9.9',
      firstSeq,
    )
    this.sender.setPeerWindow(1 << 20)
    // The first packet shows how large packets may be; its loss would say nothing else.
    this.pass()
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
  ack(ack: number, sack = EMPTY): void {
    const header = new UtpHeader()
    header.ack = ack & 0xffff
    header.sackBytes = sack.length
    this.sender.acked(header, sack, 0, true, this.now)
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
