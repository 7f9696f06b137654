import { describe, expect, test } from 'vitest'
import { SeededRandom } from '../../../sim/seededRandom.ts'
import type { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import { EncryptedStream } from '../../../src/mse/encryptedStream.ts'
import type { Stream, StreamHandler } from '../../../src/platform/tcp.ts'
import { EncLevel } from '../../../src/settings/settingEnums.ts'
import { concatBytes } from '../../../src/util/bytes.ts'
import { INFO_HASH } from './pair.ts'

/** One end of a line; what is written waits until it is carried over. */
class Line implements Stream {
  readonly socketType = 'tcp'
  readonly remote = { address: '10.0.0.1', port: 1 }
  readonly local = null
  handler: StreamHandler | null = null
  isOpen = true
  corked = 0
  paused = false
  readonly written: { bytes: Uint8Array; copy: Uint8Array; onSent?: () => void }[] = []
  readonly calls: string[] = []

  get unsentBytes(): number {
    return this.written.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  setHandler(handler: StreamHandler): void {
    this.handler = handler
  }

  write(bytes: Uint8Array, onSent?: () => void): boolean {
    this.written.push({ bytes, copy: bytes.slice(), onSent })
    return this.isOpen
  }

  cork(): void {
    this.corked++
  }

  uncork(): void {
    this.corked--
  }

  pauseReading(): void {
    this.paused = true
  }

  resumeReading(): void {
    this.paused = false
  }

  end(): void {
    this.calls.push('end')
  }

  destroy(): void {
    this.isOpen = false
  }

  /** Takes what was written. Bytes that were changed before this are a fault. */
  carry(): Uint8Array {
    const parts = this.written.splice(0)
    for (const { bytes, copy, onSent } of parts) {
      expect(Buffer.compare(bytes, copy)).toBe(0)
      onSent?.()
    }
    return concatBytes(...parts.map(({ copy }) => copy))
  }
}

class Owner implements StreamHandler {
  received: Uint8Array = new Uint8Array(0)
  isConnected = false
  closed: LibtorrentError | null | undefined
  react: (chunk: Uint8Array) => void = () => {}

  onConnected(): void {
    this.isConnected = true
  }

  onData(chunk: Uint8Array): void {
    this.received = concatBytes(this.received, chunk)
    this.react(chunk)
  }

  onDrain(): void {}

  onClosed(error: LibtorrentError | null): void {
    this.closed = error
  }
}

const bytesOf = (length: number, first = 0) => Uint8Array.from({ length }, (_, i) => first + i * 3)

function pair(level: EncLevel) {
  const faults: unknown[] = []
  const host = (seed: number) => ({
    random: new SeededRandom(seed),
    settings: { allowedEncLevel: level, preferRc4: true },
    onFault: (cause: unknown) => void faults.push(cause),
  })
  const lines = { a: new Line(), b: new Line() }
  const owners = { a: new Owner(), b: new Owner() }
  const a = EncryptedStream.connecting(host(1), INFO_HASH, owners.a, (inner) => {
    lines.a.setHandler(inner)
    return lines.a
  })
  const b = EncryptedStream.accepting(
    { ...host(2), mayExchangeKeys: () => true, findStreamKey: () => INFO_HASH },
    lines.b,
    owners.b,
  )
  /** Carries everything over, in chunks of `size`, until nothing is under way. */
  const settle = (size = 1000) => {
    for (let quiet = 0; quiet < 2; ) {
      const [there, back] = [lines.a.carry(), lines.b.carry()]
      quiet = there.length + back.length === 0 ? quiet + 1 : 0
      for (let at = 0; at < there.length; at += size) lines.b.handler?.onData(there.slice(at, at + size))
      for (let at = 0; at < back.length; at += size) lines.a.handler?.onData(back.slice(at, at + size))
    }
  }
  return { a, b, lines, owners, settle, faults }
}

describe.each([
  ['plaintext', EncLevel.plaintext],
  ['rc4', EncLevel.rc4],
] as const)('a stream that agrees on %s', (name, level) => {
  const open = () => {
    const scene = pair(level)
    scene.lines.a.handler?.onConnected()
    return scene
  }

  test('what is written before the other side has answered comes first, and whole', () => {
    const { a, owners, settle, b } = open()
    expect(owners.a.isConnected).toBe(true)
    a.write(bytesOf(68))
    a.write(bytesOf(500, 7))
    expect(a.encryption).toBe('none')
    settle(7)
    expect(owners.b.received).toEqual(concatBytes(bytesOf(68), bytesOf(500, 7)))
    expect([a.encryption, b.encryption]).toEqual([name, name])
    expect(b.infoHash).toEqual(INFO_HASH)
  })

  test('both sides read what the other writes, in any order and of any size', () => {
    const { a, b, owners, settle } = open()
    settle()
    const [there, back]: Uint8Array[][] = [[], []]
    for (const size of [1, 63, 64, 65, 1000, 16_384, 70_000, 300_000]) {
      a.write(bytesOf(size, size))
      b.write(bytesOf(size + 1, 3))
      there.push(bytesOf(size, size))
      back.push(bytesOf(size + 1, 3))
      if (size > 64) settle(size === 1000 ? 13 : 400_000)
    }
    settle()
    expect(Buffer.compare(owners.b.received, concatBytes(...there))).toBe(0)
    expect(Buffer.compare(owners.a.received, concatBytes(...back))).toBe(0)
  })

  test('writes between cork and uncork leave together, and each says when it has left', () => {
    const { a, lines, owners, settle } = open()
    settle()
    const sent: number[] = []
    a.cork()
    for (let i = 0; i < 10; i++) a.write(bytesOf(16_397, i), () => sent.push(i))
    expect(a.unsentBytes).toBe(163_970)
    expect(lines.a.corked).toBe(1)
    a.uncork()
    expect(lines.a.corked).toBe(0)
    expect(sent).toEqual([])
    settle()
    expect(sent).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(owners.b.received).toHaveLength(163_970)
    expect(a.unsentBytes).toBe(0)
  })

  test('an answer written while bytes are read does not disturb the rest of them', () => {
    const { a, b, owners, settle } = open()
    settle()
    owners.b.react = (chunk) => {
      const expected = chunk.slice()
      b.write(bytesOf(100_000))
      expect(Buffer.compare(chunk, expected)).toBe(0)
    }
    a.write(bytesOf(200_000))
    settle(300_000)
    expect(owners.b.received).toHaveLength(200_000)
  })

  test('all that was written is said to have left when the stream dies first, in whatever state', () => {
    for (const state of ['connecting', 'negotiating', 'open', 'corked'] as const) {
      for (const end of ['destroy', 'closed'] as const) {
        const { a, lines, settle, owners } = state === 'connecting' ? pair(level) : open()
        if (state === 'open' || state === 'corked') settle()
        let sent = 0
        if (state === 'corked') a.cork()
        for (let i = 0; i < 3; i++) a.write(bytesOf(100), () => sent++)
        if (end === 'destroy') a.destroy()
        else {
          lines.a.isOpen = false
          lines.a.handler?.onClosed(null)
        }
        a.write(bytesOf(10), () => sent++)
        lines.a.carry()
        expect([state, end, sent]).toEqual([state, end, 4])
        expect(owners.a.closed).toBe(end === 'destroy' ? undefined : null)
      }
    }
  })

  test('the owner may be replaced while it reads', () => {
    const { a, b, owners, settle } = open()
    const second = new Owner()
    owners.b.react = () => b.setHandler(second)
    a.write(bytesOf(68))
    settle()
    a.write(bytesOf(100))
    settle()
    expect(owners.b.received).toHaveLength(68)
    expect(second.received).toEqual(bytesOf(100))
  })

  test('reading stops and goes on as the owner wants', () => {
    const { a, lines } = open()
    a.pauseReading()
    expect(lines.a.paused).toBe(true)
    a.resumeReading()
    expect(lines.a.paused).toBe(false)
  })

  test('an end sends what was gathered first', () => {
    const { a, lines, owners, settle } = open()
    settle()
    a.cork()
    a.write(bytesOf(10))
    a.end()
    expect(lines.a.calls).toEqual(['end'])
    settle()
    expect(owners.b.received).toHaveLength(10)
  })

  test('should an owner throw, it is reported and the stream ends', () => {
    const { a, owners, settle, faults } = open()
    owners.b.react = () => {
      throw new Error('a bug of ours')
    }
    a.write(bytesOf(68))
    settle()
    if (name === 'rc4') expect(owners.b.closed?.message).toBe('a bug of ours')
    expect(faults).toHaveLength(1)
  })
})

test('in plain text nothing stands between the owner and the stream, and nothing is copied', () => {
  const { a, b, lines, owners, settle } = pair(EncLevel.plaintext)
  lines.a.handler?.onConnected()
  a.write(bytesOf(68))
  settle()
  expect(lines.a.handler).toBe(owners.a)
  expect(lines.b.handler).toBe(owners.b)
  const block = bytesOf(16_384)
  b.write(block)
  expect(lines.b.written[0]?.bytes).toBe(block)
})

test('encrypted bytes are a copy: a block is as it was', () => {
  const { a, lines, settle } = pair(EncLevel.rc4)
  lines.a.handler?.onConnected()
  settle()
  const block = bytesOf(16_384)
  a.write(block)
  expect(block).toEqual(bytesOf(16_384))
  expect(lines.a.written[0]?.bytes).not.toBe(block)
})

test('few bytes do not hold a large buffer while they wait', () => {
  const { a, lines, settle } = pair(EncLevel.rc4)
  lines.a.handler?.onConnected()
  settle()
  a.cork()
  a.write(bytesOf(13))
  a.write(bytesOf(1))
  a.uncork()
  expect(lines.a.written.map(({ bytes }) => bytes.buffer.byteLength)).toEqual([14])
})

test('a handshake that fails closes the stream, with the reason', () => {
  const { lines, owners } = pair(EncLevel.rc4)
  lines.b.handler?.onData(new Uint8Array(96))
  expect(owners.b.closed).toMatchObject({ code: 'invalidEncryptHandshake', operation: 'encryption' })
  expect(lines.b.isOpen).toBe(false)
})
