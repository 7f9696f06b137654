import { describe, expect, test } from 'vitest'
import { SimWorld } from '../../../sim/simWorld.ts'
import { decodeCompactEndpoints } from '../../../src/address/compactEndpoint.ts'
import type { Endpoint } from '../../../src/address/endpoint.ts'
import type { UdpSocket } from '../../../src/platform/udp.ts'
import { concatBytes, fromHex, fromUtf8, latin1, readU32, writeU16, writeU32 } from '../../../src/util/bytes.ts'
import { Sha1Hash } from '../../../src/util/digest.ts'

const HASH = new Sha1Hash(Uint8Array.from({ length: 20 }, (_, i) => i * 13))
const percent = (bytes: Uint8Array) => [...bytes].map((b) => `%${b.toString(16).padStart(2, '0')}`).join('')
const peerId = (n: number) => new Uint8Array(20).fill(n)

describe('an HTTP tracker', () => {
  function scene(options: Parameters<SimWorld['tracker']>[1] = {}) {
    const world = new SimWorld()
    const tracker = world.tracker('http://tracker.example:6969/announce', options)
    const announce = (n: number, parameters = '', port = 6880 + n) => {
      const host = world.network.hostNamed(`peer${n}`) ?? world.host(`peer${n}`, { address: `1.0.0.${n}` })
      const url = `${tracker.url}?info_hash=${percent(HASH.bytes)}&peer_id=${percent(peerId(n))}&port=${port}${parameters}`
      let outcome: unknown = 'nothing'
      world
        .platformOf(host)
        .http.get({ url, completionTimeout: 20_000, receiveTimeout: 10_000, maxBodyBytes: 100_000 }, (result) => {
          if ('code' in result) outcome = result.code
          else outcome = result.status === 200 ? result.body : result.status
        })
      world.run({ seconds: 30 })
      return outcome
    }
    return { world, tracker, announce }
  }

  test('records announces and tells peers of each other, seeds not of seeds', () => {
    const { tracker, announce } = scene()
    announce(1, '&left=100&event=started&uploaded=5&downloaded=6&numwant=30&key=ab')
    announce(2, '&left=0&event=started')
    announce(3, '&left=0')
    const answer = latin1(announce(1, '&left=100') as Uint8Array)
    expect(answer).toContain('8:completei2e10:downloadedi0e10:incompletei1e')
    const at = answer.indexOf('5:peers12:') + '5:peers12:'.length
    const found = decodeCompactEndpoints(Uint8Array.from(Buffer.from(answer.slice(at, at + 12), 'latin1')), 6)
    expect(found?.map((e) => `${e.address}:${e.port}`).sort()).toEqual(['1.0.0.2:6882', '1.0.0.3:6883'])
    expect(latin1(announce(2, '&left=0') as Uint8Array)).toContain('5:peers6:')
    expect(tracker.announces[0]).toMatchObject({
      event: 'started',
      uploaded: 5,
      downloaded: 6,
      left: 100,
      numWant: 30,
      key: 0xab,
      protocol: 'http',
      peer: { address: '1.0.0.1', port: 6881 },
    })
    expect(tracker.announces[0].infoHash).toEqual(HASH.bytes)
    expect(tracker.events).toEqual(['started', 'started', 'none', 'none', 'none'])
    expect(tracker.announceTimes[0]).toBe(20 + 60)
  })

  test('forgets who stops and counts who completes', () => {
    const { tracker, announce } = scene()
    announce(1, '&left=100')
    announce(2, '&left=0&event=completed')
    announce(1, '&left=100&event=stopped')
    expect(tracker.peersOf(HASH)).toEqual([{ address: '1.0.0.2', port: 6882 }])
    expect(tracker.countsOf(HASH.bytes)).toEqual({ seeds: 1, downloaders: 0, completed: 1 })
  })

  test('answers by its script, then truthfully', () => {
    const { announce, tracker } = scene({
      answers: [
        'timeout',
        'refuse',
        'fail',
        { failureReason: 'go away', retryIn: 'never' },
        { status: 503 },
        { interval: 7, minInterval: 5, warning: 'careful', trackerId: 'T', externalAddress: '9.8.7.6' },
        { raw: new Uint8Array([1, 2, 3]) },
      ],
      interval: 900,
    })
    const outcomes = Array.from({ length: 8 }, () => announce(1, '&left=1'))
    expect(outcomes.slice(0, 2)).toEqual(['timedOut', 'ECONNREFUSED'])
    expect(latin1(outcomes[2] as Uint8Array)).toBe('d14:failure reason16:scripted failuree')
    expect(latin1(outcomes[3] as Uint8Array)).toBe('d14:failure reason7:go away8:retry in5:nevere')
    expect(outcomes[4]).toBe(503)
    const sixth = latin1(outcomes[5] as Uint8Array)
    for (const part of ['8:intervali7e', '12:min intervali5e', '15:warning message7:careful', '10:tracker id1:T']) {
      expect(sixth).toContain(part)
    }
    expect(sixth).toContain('11:external ip4:\x09\x08\x07\x06')
    expect(outcomes[6]).toEqual(new Uint8Array([1, 2, 3]))
    expect(latin1(outcomes[7] as Uint8Array)).toContain('8:intervali900e')
    expect(tracker.announces.length).toBe(8)
  })

  test('refuses announces that lack what a tracker needs', () => {
    const { announce, tracker } = scene()
    expect(latin1(announce(1, '&left=1', 0) as Uint8Array)).toContain('failure reason')
    expect(tracker.announces).toEqual([])
    expect(tracker.refusedQueries.length).toBe(1)
  })

  test('gives peers as dictionaries when compact is 0, and IPv6 peers apart', () => {
    const { announce, tracker } = scene()
    tracker.addPeer(HASH, { address: '2001:db8::9', port: 99 }, { seed: true })
    tracker.addPeer(HASH, { address: '3.3.3.3', port: 33 })
    expect(latin1(announce(1, '&left=1&compact=0') as Uint8Array)).toContain('2:ip7:3.3.3.34:porti33e')
    expect(latin1(announce(1, '&left=1') as Uint8Array)).toContain('6:peers618:')
  })

  test('scrapes', () => {
    const { world, announce, tracker } = scene()
    announce(1, '&left=1')
    let body = ''
    const url = `http://tracker.example:6969/scrape?info_hash=${percent(HASH.bytes)}`
    world
      .platformOf(world.host('asker'))
      .http.get({ url, completionTimeout: 1000, receiveTimeout: 1000, maxBodyBytes: 1000 }, (result) => {
        if ('body' in result) body = latin1(result.body)
      })
    world.run({ seconds: 5 })
    expect(body).toBe(`d5:filesd20:${latin1(HASH.bytes)}d8:completei0e10:downloadedi0e10:incompletei1eeee`)
    expect(tracker.scrapes[0].infoHashes).toEqual([HASH.toHex()])
  })
})

describe('a UDP tracker (BEP 15)', () => {
  function scene(options: Parameters<SimWorld['tracker']>[1] = {}) {
    const world = new SimWorld()
    const tracker = world.tracker('udp://tracker.example:8000', options)
    const server: Endpoint = { address: world.network.hostNamed('tracker tracker.example')!.address, port: 8000 }
    const client = world.host('client', { address: '1.0.0.1' })
    const replies: Uint8Array[] = []
    let socket: UdpSocket | null = null
    world
      .platformOf(client)
      .udp.bind(
        { address: '0.0.0.0', port: 5000 },
        { onPacket: (packet) => replies.push(new Uint8Array(packet)), onError: () => {} },
        (result) => {
          if (!('code' in result)) socket = result
        },
      )
    const ask = (...parts: Uint8Array[]): Uint8Array | undefined => {
      replies.length = 0
      socket?.send(concatBytes(...parts), server)
      world.run({ seconds: 1 })
      return replies[0]
    }
    const connect = (): Uint8Array => ask(fromHex('0000041727101980')!, u32(0), u32(77))!.slice(8)
    const announce = (id: Uint8Array, transaction: number, event = 2) => {
      const tail = new Uint8Array(2)
      writeU16(tail, 0, 6881)
      const amounts = [u32(0), u32(6), u32(0), u32(100), u32(0), u32(5)]
      return ask(
        id,
        u32(1),
        u32(transaction),
        HASH.bytes,
        peerId(1),
        ...amounts,
        u32(event),
        u32(0),
        u32(0xab),
        u32(0xffffffff),
        tail,
      )
    }
    world.run(0)
    return { world, tracker, ask, connect, announce }
  }

  test('connects, takes announces and answers with compact peers', () => {
    const { tracker, connect, announce } = scene({ interval: 600 })
    tracker.addPeer(HASH, { address: '3.3.3.3', port: 33 })
    const id = connect()
    expect(id).toHaveLength(8)
    const reply = announce(id, 1234)!
    expect([0, 4, 8, 12, 16].map((at) => readU32(reply, at))).toEqual([1, 1234, 600, 2, 0])
    expect(decodeCompactEndpoints(reply.subarray(20), 6)).toEqual([{ address: '3.3.3.3', port: 33 }])
    expect(tracker.announces[0]).toMatchObject({
      event: 'started',
      downloaded: 6,
      left: 100,
      uploaded: 5,
      key: 0xab,
      numWant: -1,
      protocol: 'udp',
      peer: { address: '1.0.0.1', port: 6881 },
    })
  })

  test('a repeated packet is the same announce, and a silent answer stays silent', () => {
    const { tracker, connect, announce } = scene({ answers: ['timeout', { failureReason: 'no' }] })
    const id = connect()
    expect(announce(id, 1)).toBeUndefined()
    expect(announce(id, 1)).toBeUndefined()
    expect(tracker.announces.length).toBe(1)
    const error = announce(id, 2)!
    expect([readU32(error, 0), readU32(error, 4), fromUtf8(error.subarray(8))]).toEqual([3, 2, 'no'])
    expect(readU32(announce(id, 3)!, 0)).toBe(1)
  })

  test('a connection id lives two minutes', () => {
    const { world, connect, announce } = scene()
    const id = connect()
    world.run({ seconds: 118 })
    expect(readU32(announce(id, 1)!, 0)).toBe(1)
    world.run({ seconds: 2 })
    expect(readU32(announce(id, 2)!, 0)).toBe(3)
    expect(readU32(announce(connect(), 3)!, 0)).toBe(1)
  })

  test('scrapes several torrents at once', () => {
    const { connect, announce, ask } = scene()
    const id = connect()
    announce(id, 1)
    const reply = ask(id, u32(2), u32(9), HASH.bytes, new Uint8Array(20))!
    expect(Array.from({ length: 8 }, (_, i) => readU32(reply, i * 4))).toEqual([2, 9, 0, 0, 1, 0, 0, 0])
  })

  test('says nothing while it is down', () => {
    const { tracker, ask } = scene()
    tracker.isDown = true
    expect(ask(fromHex('0000041727101980')!, u32(0), u32(1))).toBeUndefined()
  })
})

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  writeU32(bytes, 0, value)
  return bytes
}
