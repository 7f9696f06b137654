import { describe, expect, test } from 'vitest'
import type { SimHost } from '../../../sim/simHost.ts'
import { SimWorld } from '../../../sim/simWorld.ts'
import type { Endpoint } from '../../../src/address/endpoint.ts'
import type { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import type { Platform } from '../../../src/platform/platform.ts'
import type { ProxyRoute } from '../../../src/platform/proxyRoute.ts'
import type { Stream, StreamHandler } from '../../../src/platform/tcp.ts'
import type { UdpSocket } from '../../../src/platform/udp.ts'
import { proxiedTcp } from '../../../src/proxy/proxiedTcp.ts'
import { ProxiedUdp, type UdpWay } from '../../../src/proxy/proxiedUdp.ts'
import { wrapPacket } from '../../../src/proxy/udpHeader.ts'
import { fromLatin1, latin1 } from '../../../src/util/bytes.ts'

const PORT = 1080
const TARGET: Endpoint = { address: '9.9.9.9', port: 6881 }

/** What a hostile proxy does with a client: told of its stream and of all that the client has said. */
type Behaviour = (client: Stream, said: Uint8Array) => void

interface Scene {
  readonly world: SimWorld
  readonly platform: Platform
  readonly proxy: SimHost
  route(kind: ProxyRoute['kind']): ProxyRoute
}

function scene(behaviour: Behaviour): Scene {
  const world = new SimWorld()
  const proxy = world.host('proxy')
  world.platformOf(proxy).tcp.listen(
    { address: '0.0.0.0', port: PORT },
    (client) => {
      let said: Uint8Array = new Uint8Array()
      client.setHandler({
        onConnected: () => {},
        onDrain: () => {},
        onClosed: () => {},
        onData: (chunk) => {
          said = Uint8Array.of(...said, ...chunk)
          behaviour(client, said)
        },
      })
    },
    () => {},
  )
  const route = (kind: ProxyRoute['kind']): ProxyRoute => ({
    kind,
    host: proxy.address,
    port: PORT,
    login: null,
    resolvesNames: true,
    tellsName: false,
  })
  return { world, platform: world.platformOf(world.host('client')), proxy, route }
}

/** A connection through the proxy, and what became of it. */
class Watched implements StreamHandler {
  readonly stream: Stream
  connected = false
  received = ''
  closed: LibtorrentError | null | undefined = undefined

  constructor({ platform, route }: Scene, kind: ProxyRoute['kind']) {
    const { tcp, resolver, timers } = platform
    this.stream = proxiedTcp({ tcp, resolver, timers }, () => route(kind)).connect(TARGET, {}, this)
  }

  onConnected(): void {
    this.connected = true
  }

  onData(chunk: Uint8Array): void {
    this.received += latin1(chunk)
  }

  onDrain(): void {}

  onClosed(error: LibtorrentError | null): void {
    this.closed = error
  }

  get ending(): string {
    return this.closed === undefined ? 'open' : `${this.closed?.code ?? 'end'} ${this.closed?.operation ?? ''}`
  }
}

describe('a connection through a proxy', () => {
  test('that says nothing, or a byte now and then, is given up after a minute', () => {
    for (const drip of [false, true]) {
      const played = scene((client) => {
        const more = () => {
          client.write(fromLatin1('HTTP/1.1 200 OK\r\nX: '.slice(0, 1)))
          played.world.time.after(10_000, more)
        }
        if (drip) client.write(fromLatin1('HTTP/1.1 200 OK\r\nX: '))
        if (drip) played.world.time.after(10_000, more)
      })
      const watched = new Watched(played, 'http')
      played.world.run({ seconds: 59 })
      expect(watched.ending).toBe('open')
      played.world.run({ seconds: 2 })
      expect([watched.ending, watched.connected]).toEqual(['timedOut proxy', false])
    }
  })

  test('that sends headers without end is left at 16 KiB', () => {
    let sent = 0
    const played = scene((client) => {
      client.write(fromLatin1('HTTP/1.1 200 OK\r\n'))
      const flood = () => {
        sent += 1000
        client.write(fromLatin1(`X: ${'x'.repeat(995)}\r\n`))
        if (sent < 1_000_000) played.world.time.after(1, flood)
      }
      flood()
    })
    const watched = new Watched(played, 'http')
    played.world.run({ seconds: 5 })
    expect(watched.ending).toBe('packetTooLarge proxy')
  })

  test.each([
    ['socks5', [5], 'ECONNRESET proxy'],
    ['socks5', [5, 0], 'ECONNRESET connect'],
    ['socks4', [0, 90, 0], 'ECONNRESET connect'],
    ['http', [...fromLatin1('HTTP/1.1 20')], 'ECONNRESET connect'],
  ] as const)('that ends in the middle (%s, %j)', (kind, answer, ending) => {
    let answered = false
    const played = scene((client) => {
      if (!answered) client.write(Uint8Array.from(answer))
      if (!answered && answer.length !== 2) client.end()
      // After the greeting the request is heard before the end.
      else if (answered) client.end()
      answered = true
    })
    const watched = new Watched(played, kind)
    played.world.run({ seconds: 5 })
    expect(watched.ending).toBe(ending)
  })

  test('what comes with the answer is the peer’s, whole and in order, even to who is not reading', () => {
    const payload = 'x'.repeat(5000)
    let written = false
    const played = scene((client) => {
      if (written) return
      written = true
      client.write(fromLatin1(`HTTP/1.1 200 OK\r\n\r\n${payload}`))
      played.world.time.after(1000, () => client.write(fromLatin1('behind')))
      played.world.time.after(2000, () => client.end())
    })
    for (const pauses of [false, true]) {
      written = false
      const watched = new Watched(played, 'http')
      if (pauses) {
        watched.stream.pauseReading()
        played.world.run({ seconds: 1 })
        expect([watched.connected, watched.received]).toEqual([true, ''])
        watched.stream.resumeReading()
      }
      played.world.run({ seconds: 5 })
      expect(watched.received).toBe(`${payload}behind`)
      expect(watched.ending).toBe('end ')
    }
  })

  test('what was written before it stood arrives after it does; what is destroyed stays silent', () => {
    let heard = ''
    const played = scene((client, said) => {
      heard = latin1(said)
      if (heard.endsWith('\r\n\r\n')) client.write(fromLatin1('HTTP/1.1 200 OK\r\n\r\n'))
    })
    const watched = new Watched(played, 'http')
    let sent = 0
    expect(watched.stream.write(fromLatin1('early'), () => sent++)).toBe(true)
    expect(watched.stream.unsentBytes).toBe(5)
    played.world.run({ seconds: 2 })
    expect(heard.endsWith('\r\n\r\nearly')).toBe(true)
    const destroyed = new Watched(played, 'http')
    destroyed.stream.write(fromLatin1('early'), () => sent++)
    destroyed.stream.destroy()
    played.world.run({ minutes: 2 })
    expect([sent, destroyed.connected, destroyed.ending]).toEqual([2, false, 'open'])
  })
})

describe('a UDP relay', () => {
  /** A client whose relay is port 5000 of the proxy, and a socket there for the test to speak by. */
  function relayed() {
    const greeting = Uint8Array.of(5, 0)
    const played = scene((client, said) => {
      if (said.length === 3) client.write(greeting)
      if (said.length === 13) client.write(Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 5000 >> 8, 5000 & 255))
    })
    const { world, platform, proxy } = played
    const heard: string[] = []
    const toRelay: { packet: Uint8Array; from: Endpoint }[] = []
    const failures: string[] = []
    const held: { relay: UdpSocket | null; stranger: UdpSocket | null; client: UdpSocket | null } = {
      relay: null,
      stranger: null,
      client: null,
    }
    const take = (name: keyof typeof held) => (result: UdpSocket | LibtorrentError) => {
      if (!('code' in result)) held[name] = result
    }
    const onRelayed = {
      onPacket: (packet: Uint8Array, from: Endpoint) => void toRelay.push({ packet: new Uint8Array(packet), from }),
      onError: () => {},
    }
    world.platformOf(proxy).udp.bind({ address: '0.0.0.0', port: 5000 }, onRelayed, take('relay'))
    world.platformOf(proxy).udp.bind({ address: '0.0.0.0', port: 5001 }, onRelayed, take('stranger'))
    let way: UdpWay = played.route('socks5')
    const udp = new ProxiedUdp({
      ...platform,
      get way() {
        return way
      },
      sendsLocal: false,
      onProxyFailed: (error) => failures.push(error.code),
    })
    const handler = {
      onPacket: (packet: Uint8Array, from: Endpoint) =>
        void heard.push(`${latin1(packet)} from ${from.address}:${from.port}`),
      onError: () => {},
    }
    udp.bind({ address: '0.0.0.0', port: 7000 }, handler, take('client'))
    world.run({ seconds: 1 })
    const client = held.client as UdpSocket
    const setWay = (next: UdpWay) => {
      way = next
      udp.update()
    }
    return { world, held, heard, toRelay, failures, client, setWay, clientAt: { address: '', port: 7000 } }
  }

  const wrapped = (text: string, host = '4.4.4.4') =>
    wrapPacket(fromLatin1(text), { host, port: 44 }, new Uint8Array(2000))?.slice() as Uint8Array

  test('is believed, nobody else; fragments, empty and broken packets are dropped', () => {
    const { world, held, heard, toRelay, client } = relayed()
    client.send(fromLatin1('question'), { address: '4.4.4.4', port: 44 })
    world.run({ seconds: 1 })
    expect(toRelay.map(({ packet }) => [...packet])).toEqual([[...wrapped('question')]])
    const { from } = toRelay[0]
    const fragment = wrapped('fragment')
    fragment[2] = 1
    held.stranger?.send(wrapped('forged'), from)
    held.relay?.send(fragment, from)
    for (const broken of [
      [],
      [0, 0, 0],
      [0, 0, 0, 1, 1],
      [0, 0, 0, 9, 1, 1, 1, 1, 1, 1, 1],
      [0, 0, 0, 3, 255, 1, 1, 1, 1],
    ]) {
      held.relay?.send(Uint8Array.from(broken), from)
    }
    held.relay?.send(wrapped('named', 'never.asked'), from)
    held.relay?.send(wrapped('answer'), from)
    world.run({ seconds: 1 })
    expect(heard).toEqual(['answer from 4.4.4.4:44'])
    client.close()
  })

  test('that is not there yet keeps 64 packets; one that may not be used is told at once', () => {
    const { world, toRelay, client, setWay } = relayed()
    const refused: string[] = []
    setWay('never')
    client.send(fromLatin1('no'), { address: '4.4.4.4', port: 44 }, (error) => refused.push(error.code))
    world.run({ seconds: 1 })
    expect([refused, toRelay.length]).toEqual([['EPERM'], 0])
    setWay('direct')
    client.send(fromLatin1('name'), { address: 'x.example', port: 44 }, (error) => refused.push(error.code))
    world.run({ seconds: 1 })
    expect(refused).toEqual(['EPERM', 'ENOTFOUND'])
    client.close()
  })

  test('is told names only that are names: who named another is told of it at once', () => {
    const { world, toRelay, client } = relayed()
    const refused: string[] = []
    const send = (address: string) =>
      client.send(fromLatin1('hello'), { address, port: 44 }, (error) => refused.push(error.code))
    for (const address of ['', 'a\0b.example', 'a b', 'n\u00e4me.example', 'x'.repeat(256)]) send(address)
    send('name.example')
    world.run({ seconds: 1 })
    expect(refused).toEqual(Array(5).fill('invalidHostname'))
    expect(toRelay.map(({ packet }) => [...packet])).toEqual([[...wrapped('hello', 'name.example')]])
    client.close()
  })

  test('that falls silent is given up and asked for again', () => {
    const { world, toRelay, failures, client } = relayed()
    for (let i = 0; i < 100; i++) {
      client.send(fromLatin1(`${i}`), { address: '4.4.4.4', port: 44 })
      world.run({ seconds: 1 })
    }
    expect(failures).toEqual(['timedOut'])
    expect(toRelay.length).toBeGreaterThan(85)
    client.close()
    world.run({ seconds: 1 })
  })
})
