import { beforeEach, describe, expect, test } from 'vitest'
import type { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import { DataChannelStream } from '../../../src/rtc/dataChannelStream.ts'
import { ReceiveBudget } from '../../../src/rtc/receiveBudget.ts'
import { concatBytes } from '../../../src/util/bytes.ts'
import { FakeTime } from '../tracker/fakes.ts'
import { FakeChannel } from './fakeWebRtc.ts'

const KIB = 1024

let time: FakeTime
let channel: FakeChannel
let stream: DataChannelStream
let heard: (Uint8Array | LibtorrentError | null | 'drain')[]

beforeEach(() => open())

function open(budget = new ReceiveBudget(), maxMessageSize = 262_144): void {
  time = new FakeTime()
  channel = new FakeChannel(time)
  channel.maxMessageSize = maxMessageSize
  stream = new DataChannelStream(channel, budget)
  heard = []
}

function listen(): void {
  stream.setHandler({
    onConnected: () => {},
    onData: (chunk) => heard.push(chunk.slice()),
    onDrain: () => heard.push('drain'),
    onClosed: (error) => heard.push(error),
  })
}

const bytes = (count: number, first = 0) => Uint8Array.from({ length: count }, (_, i) => first + i)
const sizes = () => channel.sent.map(({ length }) => length)

describe('writing', () => {
  test('sends the writes of one turn in messages of 16 KiB', () => {
    const block = bytes(16 * KIB)
    stream.write(bytes(13))
    stream.write(block)
    stream.write(bytes(13))
    stream.write(block)
    expect(channel.sent).toEqual([])
    time.pass(1)
    expect(sizes()).toEqual([16 * KIB, 16 * KIB, 26])
    expect(concatBytes(...channel.sent)).toEqual(concatBytes(bytes(13), block, bytes(13), block))
  })

  test('keeps to what the other side takes', () => {
    open(undefined, 1000)
    stream.write(bytes(2500))
    time.pass(1)
    expect(sizes()).toEqual([1000, 1000, 500])
  })

  test('tells when bytes have left, each write once, in the next turn', () => {
    const sent: number[] = []
    stream.write(bytes(10), () => sent.push(1))
    stream.write(bytes(0), () => sent.push(2))
    stream.write(bytes(20_000), () => sent.push(3))
    expect(sent).toEqual([])
    time.pass(1)
    expect(sent).toEqual([1, 2, 3])
  })

  test('fills the channel to 256 KiB, and goes on when most of that has left', () => {
    listen()
    channel.keepsBytes = true
    expect(stream.write(bytes(400 * KIB))).toBe(false)
    time.pass(1)
    expect(channel.bufferedAmount).toBe(256 * KIB)
    expect(stream.unsentBytes).toBe(400 * KIB)
    expect(heard).toEqual([])
    channel.bufferedAmount = 0
    channel.handler?.onBufferLow()
    expect(heard).toEqual(['drain'])
    expect(stream.unsentBytes).toBe(144 * KIB)
  })

  test('goes on without being told when the bytes leave at once', () => {
    stream.write(bytes(3_000_000))
    time.pass(1)
    expect(concatBytes(...channel.sent)).toHaveLength(3_000_000)
    expect(stream.unsentBytes).toBe(0)
  })

  test('on a broken channel is the end', () => {
    listen()
    const sent: string[] = []
    channel.isBroken = true
    stream.write(bytes(10), () => sent.push('a'))
    stream.write(bytes(40_000), () => sent.push('b'))
    time.pass(1)
    expect(heard).toEqual([expect.objectContaining({ code: 'EPIPE' })])
    expect(channel.isClosed).toBe(true)
    expect(sent).toEqual(['a', 'b'])
  })

  test('after the end is not done, but answered', () => {
    stream.destroy()
    let calls = 0
    expect(stream.write(bytes(1), () => calls++)).toBe(false)
    time.pass(1)
    expect([calls, channel.sent.length]).toEqual([1, 0])
  })
})

describe('reading', () => {
  test('what came before anybody listened comes first', () => {
    channel.handler?.onMessage(bytes(3))
    listen()
    channel.handler?.onMessage(bytes(2, 7))
    expect(heard).toEqual([])
    time.pass(1)
    expect(heard).toEqual([bytes(3), bytes(2, 7)])
    channel.handler?.onMessage(bytes(1))
    expect(heard).toHaveLength(3)
  })

  test('pauses in the middle of what is held', () => {
    listen()
    stream.pauseReading()
    for (let i = 0; i < 4; i++) channel.handler?.onMessage(bytes(1, i))
    expect(heard).toEqual([])
    stream.setHandler({
      onConnected: () => {},
      onDrain: () => {},
      onClosed: () => {},
      onData: (chunk) => {
        heard.push(chunk)
        if (heard.length === 2) stream.pauseReading()
      },
    })
    stream.resumeReading()
    time.pass(1)
    expect(heard).toEqual([bytes(1, 0), bytes(1, 1)])
    stream.resumeReading()
    time.pass(1)
    expect(heard).toEqual([bytes(1, 0), bytes(1, 1), bytes(1, 2), bytes(1, 3)])
  })

  test('a handler that closes the stream hears no more', () => {
    for (let i = 0; i < 4; i++) channel.handler?.onMessage(bytes(1, i))
    stream.setHandler({
      onConnected: () => {},
      onDrain: () => {},
      onClosed: () => {},
      onData: (chunk) => {
        heard.push(chunk)
        stream.destroy()
      },
    })
    time.pass(1)
    channel.handler?.onMessage(bytes(1))
    expect(heard).toEqual([bytes(1, 0)])
  })

  test('one that sends more than is held for it is closed, and so is one too many', () => {
    const budget = new ReceiveBudget(250, 100)
    open(budget)
    listen()
    stream.pauseReading()
    for (let i = 0; i < 11; i++) channel.handler?.onMessage(bytes(10))
    expect(heard).toEqual([expect.objectContaining({ code: 'packetTooLarge' })])
    expect(channel.isClosed).toBe(true)
    const others = Array.from({ length: 3 }, () => {
      const other = new FakeChannel(time)
      new DataChannelStream(other, budget)
      other.handler?.onMessage(bytes(90))
      return other
    })
    expect(others.map(({ isClosed }) => isClosed)).toEqual([false, false, true])
    others[0].handler?.onClosed(null)
    const another = new FakeChannel(time)
    new DataChannelStream(another, budget)
    another.handler?.onMessage(bytes(90))
    expect(another.isClosed).toBe(false)
  })
})

describe('the end', () => {
  test('`end` lets everything leave first', () => {
    stream.write(bytes(20_000))
    stream.end()
    expect(channel.isEnded).toBe(false)
    time.pass(1)
    expect(sizes()).toEqual([16 * KIB, 20_000 - 16 * KIB])
    expect(channel.isEnded).toBe(true)
    expect(channel.isClosed).toBe(false)
  })

  test('the other side closes: the handler is told once', () => {
    listen()
    channel.handler?.onClosed(null)
    channel.handler?.onClosed(null)
    expect(heard).toEqual([null])
    expect(stream.unsentBytes).toBe(0)
  })
})
