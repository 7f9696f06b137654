import { expect, test } from 'vitest'
import { SeededRandom } from '../../../sim/seededRandom.ts'
import { VirtualTime } from '../../../sim/virtualTime.ts'
import type { Endpoint } from '../../../src/address/endpoint.ts'
import type { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import { PacketType, readHeader, stampHeader, UtpHeader, writeHeader } from '../../../src/utp/utpHeader.ts'
import { defaultUtpSettings } from '../../../src/utp/utpSettings.ts'
import { UtpSockets } from '../../../src/utp/utpSockets.ts'

const REMOTE: Endpoint = { address: '9.9.9.9', port: 6881 }
const OTHER: Endpoint = { address: '9.9.9.9', port: 6882 }

/** uTP whose numbers below 65,536 - ids and sequence numbers - the test draws, and what it sends. */
class Scene {
  readonly time = new VirtualTime()
  readonly sent: { readonly header: UtpHeader; readonly at: number }[] = []
  readonly errors: (LibtorrentError | null)[] = []
  readonly utp: UtpSockets

  constructor(private readonly draws: number[] = []) {
    const random = new SeededRandom(1)
    this.utp = new UtpSockets({
      clock: this.time,
      timers: this.time,
      random: {
        below: (limit) => (limit === 0x10000 ? (this.draws.shift() ?? random.below(limit)) : random.below(limit)),
        u32: () => random.u32(),
        bytes: (count) => random.bytes(count),
      },
      settings: defaultUtpSettings,
      local: { address: '50.0.0.1', port: 6881 },
      send: (packet) => {
        const header = new UtpHeader()
        readHeader(packet, header)
        this.sent.push({ header, at: this.time.now() })
      },
      onUtpAccept: (stream) => stream.destroy(),
      onFault: (cause) => {
        throw cause
      },
    })
  }

  draw(...draws: number[]): void {
    this.draws.push(...draws)
  }

  connect(remote = REMOTE) {
    return this.utp.connect(remote, {
      onConnected() {},
      onData() {},
      onDrain() {},
      onClosed: (error) => this.errors.push(error),
    })
  }

  /** A packet without content from `from`. */
  say(type: number, id: number, seq: number, ack: number, from = REMOTE): void {
    const packet = new Uint8Array(20)
    writeHeader(packet, type, id, seq)
    stampHeader(packet, 1, 1000, 1 << 20, ack)
    this.utp.incoming(packet, from)
  }

  /** What went since it was asked last. */
  take() {
    return this.sent.splice(0)
  }
}

/** The ids the SYNs of these bear. */
const ids = (sent: readonly { readonly header: UtpHeader }[]) => sent.map(({ header }) => header.connectionId)

test('a connection gets an id that no other one to the same endpoint has', () => {
  const scene = new Scene()
  scene.draw(5, 1000)
  scene.connect()
  scene.draw(5, 5, 9, 1000)
  scene.connect()
  // That of another endpoint is another's.
  scene.draw(5, 1000)
  scene.connect(OTHER)
  expect(ids(scene.take())).toEqual([5, 9, 5])
  scene.utp.close()
})

test('nor one that somebody there has just asked for', () => {
  const scene = new Scene()
  scene.say(PacketType.syn, 41, 500, 0)
  scene.take()
  scene.draw(42, 7, 1000)
  scene.connect()
  scene.draw(42, 1000)
  scene.connect(OTHER)
  expect(ids(scene.take())).toEqual([7, 42])
  scene.utp.close()
})

test('when no id is free the attempt fails, and the others stand', () => {
  const scene = new Scene()
  scene.draw(5, 1000)
  scene.connect()
  scene.draw(...new Array(100).fill(5), 1000)
  scene.connect()
  scene.time.run({ ms: 1 })
  expect(scene.errors.map((error) => error?.code)).toEqual(['EADDRNOTAVAIL'])
  expect(scene.utp.size).toBe(1)
  scene.utp.close()
})

for (const [attempts, wait] of [
  [1, 500],
  [2, 1000],
]) {
  test(`after ${attempts} SYN packets, of which the last was answered soon, data waits ${wait} ms for an ack (Karn)`, () => {
    const scene = new Scene()
    scene.draw(5, 1000)
    const stream = scene.connect()
    // Of two nobody knows which one was answered: the first, after more than three seconds, perhaps.
    if (attempts === 2) scene.time.run({ ms: 3000 })
    expect(scene.take().length).toBe(attempts)
    scene.time.run({ ms: 40 })
    scene.say(PacketType.state, 5, 2000, 1000)
    stream.write(new Uint8Array(100))
    scene.time.run({ seconds: 1.9 })
    const data = scene.take().filter(({ header }) => header.type === PacketType.data)
    expect(data[1].at - data[0].at).toBeGreaterThanOrEqual(wait)
    expect(data[1].at - data[0].at).toBeLessThan(wait + 20)
    scene.utp.close()
  })
}
