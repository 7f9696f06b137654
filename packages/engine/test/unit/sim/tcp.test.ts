import { describe, expect, test } from 'vitest'
import { SeededRandom } from '../../../sim/seededRandom.ts'
import type { HostOptions } from '../../../sim/simHost.ts'
import { SimWorld } from '../../../sim/simWorld.ts'
import { Acceptor, dial, type Recorder } from './wire.ts'

const PORT = 6881

function pair(options: { seed?: number; a?: HostOptions; b?: HostOptions; chunking?: 'random' | 'whole' } = {}) {
  const world = new SimWorld({ seed: options.seed ?? 1, chunking: options.chunking ?? 'random' })
  const a = world.host('a', { address: '1.0.0.1', ...options.a })
  const b = world.host('b', { address: '2.0.0.2', ...options.b })
  const remote = { address: b.address, port: PORT }
  return { world, a, b, remote, onA: world.platformOf(a), onB: world.platformOf(b) }
}

function connected(options: Parameters<typeof pair>[0] = {}) {
  const scene = pair(options)
  const acceptor = new Acceptor(scene.onB, { address: '0.0.0.0', port: PORT })
  const client = dial(scene.onA, scene.remote)
  scene.world.runUntil(() => acceptor.accepted.length === 1)
  return { ...scene, acceptor, client, server: acceptor.accepted[0] }
}

const content = (size: number) => new SeededRandom(99).bytes(size)

describe('connecting', () => {
  test('takes a round trip for the one who connects, and half a one more for the other', () => {
    const { world, remote, onA, onB } = pair({ a: { latency: 30 }, b: { latency: 20 } })
    const acceptor = new Acceptor(onB, { address: '0.0.0.0', port: PORT })
    const client = dial(onA, remote)
    expect(client.stream.local).toBeNull()
    world.runUntil(() => client.connected)
    expect(world.time.elapsed).toBe(100)
    expect(client.stream.local?.address).toBe('1.0.0.1')
    world.runUntil(() => acceptor.accepted.length === 1)
    expect(world.time.elapsed).toBe(150)
    const server = acceptor.accepted[0].stream
    expect(server.local).toEqual(remote)
    expect(server.remote).toEqual(client.stream.local)
  })

  test('is refused where nobody listens', () => {
    const { world, remote, onA } = pair()
    const client = dial(onA, remote)
    world.run({ seconds: 1 })
    expect(client.calls).toEqual(['closed ECONNREFUSED'])
    world.assertNothingLeft()
  })

  test('fails at once where no host is, and after two minutes where packets vanish', () => {
    const { world, onA } = pair()
    world.network.blackHole('9.9.9.9')
    const nowhere = dial(onA, { address: '8.8.8.8', port: 1 })
    const lost = dial(onA, { address: '9.9.9.9', port: 1 })
    world.run({ seconds: 1 })
    expect(nowhere.calls).toEqual(['closed EHOSTUNREACH'])
    world.run({ seconds: 125 })
    expect(lost.calls).toEqual([])
    world.run({ seconds: 2 })
    expect(lost.calls).toEqual(['closed ETIMEDOUT'])
  })

  test('succeeds late when a partition ends in between', () => {
    const { world, a, b, remote, onA, onB } = pair()
    new Acceptor(onB, { address: '0.0.0.0', port: PORT })
    world.network.partition([a], [b])
    const client = dial(onA, remote)
    world.run({ seconds: 2 })
    world.network.heal()
    world.runUntil(() => client.connected, { seconds: 10 })
    // The third attempt: 1 + 2 s after the first.
    expect(world.time.elapsed).toBe(3000 + 40)
  })

  test('needs an address of the same family, and one the host has', () => {
    const { world, onA } = pair()
    const otherFamily = dial(onA, { address: '2001:db8::1', port: 1 })
    const foreign = dial(onA, { address: '2.0.0.2', port: 1 }, { localAddress: '7.7.7.7' })
    world.run({ seconds: 1 })
    expect(otherFamily.calls).toEqual(['closed ENETUNREACH'])
    expect(foreign.calls).toEqual(['closed EADDRNOTAVAIL'])
  })

  test('an abandoned attempt leaves nothing on either side', () => {
    const { world, remote, onA, onB } = pair()
    const acceptor = new Acceptor(onB, { address: '0.0.0.0', port: PORT })
    const client = dial(onA, remote)
    world.run({ ms: 30 })
    client.stream.destroy()
    world.run({ seconds: 200 })
    expect(client.calls).toEqual([])
    expect(acceptor.accepted).toEqual([])
    acceptor.listener?.close()
    world.assertNothingLeft()
  })

  test('works over IPv6, over loopback and to oneself', () => {
    const world = new SimWorld()
    const host = world.host('h', { address: ['1.0.0.1', '2001:db8::5'] })
    const other = world.host('o', { address: ['1.0.0.2', '2001:db8::6'] })
    const v6 = new Acceptor(world.platformOf(host), { address: '::', port: PORT })
    const v4 = new Acceptor(world.platformOf(host), { address: '0.0.0.0', port: PORT })
    dial(world.platformOf(other), { address: '2001:db8::5', port: PORT })
    dial(world.platformOf(host), { address: '127.0.0.1', port: PORT })
    dial(world.platformOf(host), { address: '1.0.0.1', port: PORT })
    world.run({ seconds: 1 })
    expect(v6.accepted.map((r) => r.stream.remote.address)).toEqual(['2001:db8::6'])
    expect(v4.accepted.map((r) => r.stream.remote.address)).toEqual(['127.0.0.1', '1.0.0.1'])
  })
})

describe('listening', () => {
  test('on a port that is taken fails, also between a wildcard and an address', () => {
    const { world, onB } = pair()
    const first = new Acceptor(onB, { address: '0.0.0.0', port: PORT })
    const same = new Acceptor(onB, { address: '0.0.0.0', port: PORT })
    const narrower = new Acceptor(onB, { address: '2.0.0.2', port: PORT })
    const other = new Acceptor(onB, { address: '2.0.0.2', port: PORT + 1 })
    expect(first.listener).toBeNull()
    world.run(0)
    expect(first.listener?.local).toEqual({ address: '0.0.0.0', port: PORT })
    expect([same.error?.code, narrower.error?.code, other.error]).toEqual(['EADDRINUSE', 'EADDRINUSE', null])
    first.listener?.close()
    const again = new Acceptor(onB, { address: '0.0.0.0', port: PORT })
    world.run(0)
    expect(again.error).toBeNull()
  })

  test('on port 0 picks a free one, on a foreign address fails', () => {
    const { world, onB } = pair()
    const any = new Acceptor(onB, { address: '0.0.0.0', port: 0 })
    const another = new Acceptor(onB, { address: '0.0.0.0', port: 0 })
    const foreign = new Acceptor(onB, { address: '1.0.0.1', port: PORT })
    world.run(0)
    expect(any.listener?.local.port).toBeGreaterThan(1023)
    expect(another.listener?.local.port).not.toBe(any.listener?.local.port)
    expect(foreign.error?.code).toBe('EADDRNOTAVAIL')
  })

  test('a closed listener refuses newcomers and keeps what it accepted', () => {
    const { world, acceptor, client, server, onA, remote } = connected()
    acceptor.listener?.close()
    const late = dial(onA, remote)
    client.stream.write(content(1000))
    world.run({ seconds: 1 })
    expect(late.calls).toEqual(['closed ECONNREFUSED'])
    expect(server.receivedBytes).toBe(1000)
  })
})

describe('bytes', () => {
  test.each([1, 2, 3, 4, 5])('arrive complete and in order, cut anywhere (seed %i)', (seed) => {
    const { world, client, server } = connected({ seed, a: { up: 500_000, jitter: 15 }, b: { jitter: 15 } })
    const bytes = content(300_000)
    for (let at = 0; at < bytes.length; at += 7001) client.stream.write(bytes.subarray(at, at + 7001))
    world.run({ seconds: 10 })
    expect(Buffer.compare(server.received, bytes)).toBe(0)
    expect(new Set(server.chunks.map((chunk) => chunk.length)).size).toBeGreaterThan(5)
  })

  test('take the time the slower line needs, plus the way', () => {
    const { world, client, server } = connected({ a: { up: 100_000, latency: 10 }, b: { down: 400_000, latency: 10 } })
    const begin = world.time.now()
    client.stream.write(content(1_000_000))
    world.runUntil(() => server.receivedBytes === 1_000_000)
    const took = world.time.now() - begin
    // 10 s on the uplink; slow start and the last segment on the downlink add a little.
    expect(took).toBeGreaterThan(10_000)
    expect(took).toBeLessThan(10_500)
  })

  test('share a line evenly between connections', () => {
    const { world, onA, onB, remote } = pair({ a: { up: 100_000 } })
    const acceptor = new Acceptor(onB, { address: '0.0.0.0', port: PORT })
    const clients = [1, 2, 3, 4].map(() => dial(onA, remote))
    world.run({ seconds: 1 })
    for (const client of clients) client.stream.write(content(1_000_000))
    world.run({ seconds: 20 })
    for (const server of acceptor.accepted) {
      // 20 s of 100,000 B/s for four, within two segments.
      expect(Math.abs(server.receivedBytes - 500_000)).toBeLessThan(2 * 16_384)
    }
  })

  test('of many senders fill a slow receiver without a queue that grows for ever', () => {
    const world = new SimWorld()
    const sink = world.host('sink', { down: 200_000, queueBytes: 50_000 })
    const acceptor = new Acceptor(world.platformOf(sink), { address: '0.0.0.0', port: PORT })
    for (let i = 0; i < 10; i++) {
      const client = dial(world.platformOf(world.host(`s${i}`)), { address: sink.address, port: PORT })
      client.stream.write(content(1_000_000))
    }
    let longest = 0
    for (let second = 0; second < 20; second++) {
      world.run({ seconds: 1 })
      longest = Math.max(longest, sink.downlink.queuedBytes)
    }
    const total = acceptor.accepted.reduce((sum, server) => sum + server.receivedBytes, 0)
    expect(total).toBeGreaterThan(0.9 * 20 * 200_000)
    expect(longest).toBeLessThan(400_000)
  })
})

describe('flow control', () => {
  test('a reader that pauses slows the sender down to a stop, and gets everything when it goes on', () => {
    const { world, client, server } = connected({ a: { socketBuffer: 100_000 }, b: { socketBuffer: 200_000 } })
    server.stream.pauseReading()
    const sent: number[] = []
    const block = content(10_000)
    for (let i = 0; i < 100; i++) client.stream.write(block, () => sent.push(i))
    world.run({ minutes: 5 })
    expect(server.receivedBytes).toBe(0)
    // The receiver's and the sender's buffers are full; the rest waits in the program.
    expect(sent.length).toBe(30)
    expect(client.stream.unsentBytes).toBe(700_000)
    server.stream.resumeReading()
    world.run({ seconds: 10 })
    expect(server.receivedBytes).toBe(1_000_000)
    expect(sent).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })

  test('a reader that takes a little at a time gets just that', () => {
    const { world, client, server } = connected({ chunking: 'whole', b: { socketBuffer: 32_768 } })
    server.onChunk = () => server.stream.pauseReading()
    client.stream.write(content(500_000))
    for (let second = 0; second < 10; second++) {
      world.run({ seconds: 1 })
      server.stream.resumeReading()
    }
    expect(server.receivedBytes).toBeLessThanOrEqual(11 * 65_536)
    expect(server.receivedBytes).toBeGreaterThan(10 * 1460)
    server.onChunk = () => {}
    world.run({ seconds: 60 })
    expect(server.receivedBytes).toBe(500_000)
  })

  test('write says when the queue is too long, and onDrain when it is empty', () => {
    const { world, client } = connected({ a: { up: 50_000, socketBuffer: 20_000 } })
    const block = content(16_384)
    let writes = 1
    while (client.stream.write(block)) writes++
    // 64 KiB are still accepted; one block more is too many.
    expect(writes).toBe(5)
    expect(client.stream.unsentBytes).toBe(5 * 16_384)
    client.onDrained = () => expect(client.stream.unsentBytes).toBe(0)
    world.run({ seconds: 10 })
    expect(client.drains).toBe(1)
    client.stream.write(block)
    world.run({ seconds: 10 })
    expect(client.drains).toBe(1)
  })

  test('corked writes wait for uncork', () => {
    const { world, client, server } = connected()
    client.stream.cork()
    client.stream.write(content(100))
    client.stream.write(content(100))
    world.run({ seconds: 1 })
    expect(server.receivedBytes).toBe(0)
    client.stream.uncork()
    world.run({ seconds: 1 })
    expect(server.receivedBytes).toBe(200)
  })
})

describe('the handler', () => {
  test('is never called from inside a call to the stream', () => {
    const { world, client, server } = connected({ a: { socketBuffer: 10_000 } })
    const within = <T>(call: () => T): T => {
      const before = [client.calls.length, server.calls.length, sent]
      const result = call()
      expect([client.calls.length, server.calls.length, sent]).toEqual(before)
      return result
    }
    let sent = 0
    const onSent = () => {
      sent++
    }
    within(() => client.stream.write(content(100_000), onSent))
    world.run({ ms: 30 })
    within(() => server.stream.pauseReading())
    world.run({ ms: 100 })
    within(() => server.stream.resumeReading())
    within(() => client.stream.uncork())
    within(() => client.stream.end())
    within(() => client.stream.destroy())
    within(() => server.stream.destroy())
    within(() => client.stream.write(content(10), onSent))
    world.run({ seconds: 1 })
    expect(sent).toBe(2)
  })

  test('gets chunks that are lent, not given: kept views turn into rubbish', () => {
    const { world, client, server } = connected({ chunking: 'whole' })
    const kept: Uint8Array[] = []
    const onData = server.onData.bind(server)
    server.onData = (chunk) => {
      kept.push(chunk)
      onData(chunk)
    }
    client.stream.write(new Uint8Array(100).fill(7))
    world.run({ seconds: 1 })
    expect(server.received).toEqual(new Uint8Array(100).fill(7))
    expect([...kept[0]]).toEqual(Array(100).fill(0xdd))
  })

  test('bytes changed before onSent are found out', () => {
    const { world, client } = connected({ a: { up: 10_000, socketBuffer: 10_000 } })
    // A Buffer, whose own slice would share its memory.
    const bytes = Buffer.from(content(50_000))
    client.stream.write(bytes)
    world.run({ seconds: 1 })
    bytes[49_999] ^= 1
    expect(() => world.run({ seconds: 60 })).toThrow(/changed before onSent/)
  })
})

describe('closing', () => {
  const closings = (a: Recorder, b: Recorder) => [a.calls.filter(isClosing), b.calls.filter(isClosing)]
  const isClosing = (call: string) => call.startsWith('closed')

  test('end sends what is queued first; both sides close in order', () => {
    const { world, client, server, acceptor } = connected({ a: { up: 50_000, socketBuffer: 30_000 } })
    client.stream.write(content(200_000))
    client.stream.end()
    world.run({ seconds: 60 })
    expect(server.receivedBytes).toBe(200_000)
    expect(closings(client, server)).toEqual([['closed'], ['closed']])
    acceptor.listener?.close()
    world.assertNothingLeft()
  })

  test('after end the other side may still be heard', () => {
    const { world, client, server } = connected({ b: { up: 10_000 } })
    server.stream.write(content(20_000))
    client.stream.end()
    world.run({ seconds: 30 })
    expect(client.receivedBytes).toBe(20_000)
    expect(client.closed).toBeNull()
  })

  test('destroy drops the queue, tells nobody here, and calls onSent for each write once', () => {
    const { world, client, server } = connected({ a: { up: 10_000, socketBuffer: 30_000 } })
    let sent = 0
    for (let i = 0; i < 10; i++) client.stream.write(content(10_000), () => sent++)
    world.run({ seconds: 1 })
    client.stream.destroy()
    expect(client.stream.unsentBytes).toBe(0)
    world.run({ seconds: 60 })
    expect(sent).toBe(10)
    expect(closings(client, server)).toEqual([[], ['closed']])
    expect(server.receivedBytes).toBeLessThan(60_000)
  })

  test('destroy with unread bytes, or bytes on their way, is a reset for the other side', () => {
    const { world, client, server } = connected()
    server.stream.pauseReading()
    client.stream.write(content(1000))
    world.run({ seconds: 1 })
    server.stream.destroy()
    world.run({ seconds: 1 })
    expect(closings(client, server)).toEqual([['closed ECONNRESET'], []])
  })

  test('a killed program resets its connections and hears nothing more', () => {
    const { world, b, client, server } = connected()
    const calls = server.calls.length
    world.kill(b)
    client.stream.write(content(1000))
    world.run({ seconds: 1 })
    expect(client.calls.at(-1)).toBe('closed ECONNRESET')
    expect(server.calls.length).toBe(calls)
  })

  test('after a power failure the other side learns nothing until it sends', () => {
    const { world, b, client } = connected()
    world.crash(b)
    world.run({ hours: 1 })
    expect(client.closed).toBeUndefined()
    client.stream.write(content(10))
    world.run({ seconds: 1 })
    expect(client.calls.at(-1)).toBe('closed ECONNRESET')
  })

  test('a connection across a partition stalls, and goes on afterwards without loss', () => {
    const { world, a, b, client, server } = connected({ a: { up: 100_000 } })
    const bytes = content(500_000)
    client.stream.write(bytes)
    world.run({ seconds: 1 })
    world.network.partition([a], [b])
    world.run({ seconds: 1 })
    const before = server.receivedBytes
    world.run({ minutes: 2 })
    expect(server.receivedBytes).toBe(before)
    world.network.heal()
    world.run({ minutes: 2 })
    expect(Buffer.compare(server.received, bytes)).toBe(0)
  })

  test('a partition that does not end breaks a connection that has something to send, after a quarter of an hour', () => {
    const { world, a, b, client, server } = connected()
    world.network.partition([a], [b])
    client.stream.write(content(10))
    world.run({ minutes: 15 })
    expect(client.closed).toBeUndefined()
    world.run({ minutes: 2 })
    expect(client.calls.at(-1)).toBe('closed ETIMEDOUT')
    expect(server.closed).toBeUndefined()
  })

  test('dropConnections resets both sides', () => {
    const { world, a, b, client, server } = connected()
    expect(world.network.dropConnections(a, b)).toBe(1)
    world.run({ seconds: 1 })
    expect(closings(client, server)).toEqual([['closed ECONNRESET'], ['closed ECONNRESET']])
    expect(world.network.connectionCount).toBe(0)
  })
})

test('equal seeds give equal event logs, other seeds others', () => {
  const play = (seed: number) => {
    const { world, client, server } = connected({ seed, a: { up: 300_000, jitter: 5 }, b: { down: 200_000 } })
    client.stream.write(content(200_000))
    server.stream.write(content(50_000))
    world.run({ seconds: 10 })
    return world.log.digest
  }
  expect(play(3)).toBe(play(3))
  expect(play(3)).not.toBe(play(4))
})
