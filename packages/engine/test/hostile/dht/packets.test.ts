import { describe, expect, test } from 'vitest'
import { bencode } from '../../../src/bencode/bencode.ts'
import { Preformatted } from '../../../src/bencode/entry.ts'
import { decodeKrpc } from '../../../src/dht/krpcMessage.ts'
import { concatBytes } from '../../../src/util/bytes.ts'
import { Sha1Hash } from '../../../src/util/digest.ts'
import { compact, idOf, TestDht } from '../../unit/dht/testDht.ts'

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'))
const attacker = { address: '66.6.6.6', port: 666 }
const infoHash = new Sha1Hash(new Uint8Array(20).fill(0x55))

describe('a packet made to break the decoder', () => {
  test.each([
    ['lists', 'l'],
    ['dicts', 'd1:a'],
  ])('of %s nested as deep as a packet is long is dropped, in linear time', (_, level) => {
    const dht = new TestDht()
    for (const packet of [
      `d1:a${level.repeat(30_000)}e`,
      `d1:ad2:id20:abcdefghij01234567891:v${level.repeat(15_000)}e`,
    ]) {
      expect(dht.receive(bytes(packet), attacker)).toBeNull()
    }
  })

  test.each([
    'd1:ad2:id99999999999:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe',
    'd1:ad2:id-1:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe',
    'd1:ad2:id00020:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe',
    'd1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y5:qe',
  ])('that lies about a length (%s) is dropped', (packet) => {
    expect(new TestDht().receive(bytes(packet), attacker)).toBeNull()
  })

  test.each(['i-0e', 'i03e', 'ie', 'i1e10e', `i${'9'.repeat(1000)}e`, 'i9223372036854775808e'])(
    'with the number %s is dropped',
    (number) => {
      const packet = `d1:ad2:id20:abcdefghij01234567894:port${number}e1:q4:ping1:t2:aa1:y1:qe`
      expect(new TestDht().receive(bytes(packet), attacker)).toBeNull()
    },
  )

  test('with a port or number beyond 2^53 is refused, not misread', () => {
    const dht = new TestDht()
    const token = dht.ask('get_peers', { info_hash: infoHash.bytes }, attacker).bytes('token')!
    const args = { info_hash: infoHash.bytes, port: 9007199254740993n, token }
    expect(dht.ask('announce_peer', args, attacker).error).toEqual([203, 'invalid port'])
  })

  test('with unsorted, repeated or strange keys pollutes nothing', () => {
    const dht = new TestDht()
    const args = '2:id20:abcdefghij01234567899:__proto__d8:polluted3:yese11:constructori1e14:hasOwnPropertyi1e'
    expect(dht.receive(bytes(`d1:y1:q1:t2:aa1:q4:ping1:ad${args}e1:y1:re`), attacker)).not.toBeNull()
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  test('of more than 500 parts is dropped', () => {
    expect(
      decodeKrpc(bytes(`d1:ad2:id20:abcdefghij01234567891:vl${'i1e'.repeat(600)}ee1:q4:ping1:t2:aa1:y1:qe`)),
    ).toBeNull()
  })

  test('from port 0 or an address that is none does nothing', () => {
    const dht = new TestDht()
    const ping = bencode({ a: { id: idOf('x') }, q: 'ping', t: 'aa', y: 'q' })
    expect(() => dht.node.incoming(ping, { address: 'not an address', port: 5 })).not.toThrow()
    expect(() => dht.node.incoming(ping, { address: '60.0.0.1', port: 0 })).not.toThrow()
    expect(dht.dht.status().dhtNodes).toBe(0)
  })
})

describe('a forged source', () => {
  const settings = { dhtPreferVerifiedNodeIds: false, dhtIgnoreDarkInternet: false }

  /** Bytes on the line for a packet of `size`. */
  const onLine = (size: number, v6 = false) => size + (v6 ? 48 : 28)

  function stocked(local = { address: '51.0.0.1', port: 6881 }) {
    const dht = new TestDht({ local, settings })
    const v6 = local.address.includes(':')
    for (let i = 0; i < 200; i++) {
      const address = v6 ? `2a00:${(i + 1).toString(16)}::1` : `70.0.${i}.1`
      dht.know(dht.random.bytes(20), { address, port: 7000 })
      const peer = v6 ? `2a01:${(i + 1).toString(16)}::1` : `71.0.${i}.1`
      dht.dht.storage.announcePeer(infoHash.bytes, compact(peer, 5), bytes('a name of some length'), false)
      dht.dht.storage.announcePeer(dht.random.bytes(20), compact(peer, 5), new Uint8Array(0), false)
    }
    return dht
  }

  test.each([
    ['IPv4', { address: '51.0.0.1', port: 6881 }, attacker],
    ['IPv6', { address: '2a00:ffff::1', port: 6881 }, { address: '2a06::6', port: 666 }],
  ])('over %s gets no answer of more than three times the question', (_, local, victim) => {
    const dht = stocked(local)
    const v6 = local.address.includes(':')
    const questions = [
      ['ping', {}],
      ['find_node', { target: infoHash.bytes }],
      ['find_node', { target: infoHash.bytes, want: ['n4', 'n6'] }],
      ['get_peers', { info_hash: infoHash.bytes }],
      ['get_peers', { info_hash: infoHash.bytes, want: ['n4', 'n6'] }],
      ['get', { target: infoHash.bytes }],
      ['sample_infohashes', { target: infoHash.bytes }],
      ['dance', { target: infoHash.bytes }],
      ['dance', {}],
      ['put', { v: 'x', token: 'xxxx' }],
      ['announce_peer', { info_hash: infoHash.bytes, port: 1, token: 'xxxx' }],
    ] as const
    for (const [method, args] of questions) {
      const { size, questionSize } = dht.ask(method, args, victim)
      expect(size).toBeGreaterThan(0)
      expect(onLine(size, v6) / onLine(questionSize, v6), method).toBeLessThanOrEqual(3)
    }
    // The shortest question there is.
    const shortest = bencode({ a: { id: idOf('x'), info_hash: infoHash.bytes }, q: 'get_peers', t: '', y: 'q' })
    const answer = dht.receive(shortest, victim)!
    expect(onLine(answer.bytes.length, v6) / onLine(shortest.length, v6)).toBeLessThanOrEqual(3)
  })

  test('still gets peers and nodes: lookups of strangers work', () => {
    const answer = stocked().ask('get_peers', { info_hash: infoHash.bytes }, attacker)
    expect((answer.values.get('values') as unknown[]).length).toBeGreaterThan(10)
    expect(answer.bytes('nodes')!.length).toBe(4 * 26)
  })

  test('who has proven its address gets all there is, in one packet of 1024 bytes (BEP 32)', () => {
    const dht = stocked()
    dht.know(dht.random.bytes(20), { address: '70.0.250.1', port: 7000 })
    const answer = dht.ask('get_peers', { info_hash: infoHash.bytes }, { address: '70.0.250.1', port: 7000 })
    expect((answer.values.get('values') as unknown[]).length).toBeGreaterThan(80)
    expect(answer.bytes('nodes')!.length).toBe(8 * 26)
    expect(answer.size).toBeLessThanOrEqual(1024)
  })

  test('a flood is cut off by dhtUploadRateLimit, whatever it asks', () => {
    const dht = new TestDht({ settings: { ...settings, dhtUploadRateLimit: 8000 } })
    for (let i = 0; i < 100_000; i++) {
      if (i % 1000 === 0) dht.time.run(100)
      dht.node.incoming(bencode({ a: { id: idOf(`x${i}`), target: infoHash.bytes }, q: 'get', t: 'aa', y: 'q' }), {
        address: `60.${(i >> 8) & 255}.${i & 255}.1`,
        port: 1 + (i & 0xfff),
      })
    }
    // ten seconds and the burst of three
    expect(dht.dht.counters.bytesOut).toBeLessThan(8000 * 14)
  })

  test('a thousand packets a second from one address end at fifty', () => {
    const dht = new TestDht({ settings: { dhtBlockRatelimit: 5 } })
    let answered = 0
    for (let i = 0; i < 5000; i++) {
      dht.time.run(1)
      if (dht.ask('ping', {}, attacker).sent !== null) answered++
    }
    expect(answered).toBe(50)
  })
})

describe('answers of a liar', () => {
  const settings = { dhtPreferVerifiedNodeIds: false }
  const liar = { address: '66.6.6.6', port: 666 }

  /** What is asked next when a liar answers a lookup with these nodes. */
  function ledTo(nodes: Uint8Array, more: Record<string, unknown> = {}): string[] {
    const dht = new TestDht({ settings: { ...settings, ...more } })
    dht.time.run({ seconds: 1 })
    dht.know(idOf('liar'), liar)
    dht.sent.length = 0
    dht.dht.getPeers(infoHash, {}, {})
    const [question] = dht.takeQuestions()
    dht.answer(question, { id: idOf('liar'), nodes })
    return dht.takeQuestions().map(({ to }) => `${to.address}:${to.port}`)
  }
  const node = (n: number, address: string, port: number) =>
    concatBytes(
      Uint8Array.from({ length: 20 }, (_, i) => (i === 18 ? n >> 8 : i === 19 ? n : 0x55)),
      compact(address, Math.max(1, port)),
    )

  test('ten thousand nodes at one victim make us send it one packet', () => {
    const nodes = Array.from({ length: 2000 }, (_, n) => node(n, '80.0.0.1', 1000 + n))
    expect(ledTo(concatBytes(...nodes))).toHaveLength(1)
    const same = Array.from({ length: 2000 }, (_, n) => node(n, '80.0.0.1', 53))
    expect(ledTo(concatBytes(...same), { dhtRestrictSearchIps: false })).toHaveLength(1)
  })

  test('nodes on our own network, without a port, multicast or ourselves are not asked', () => {
    const noPort = node(1, '80.0.0.1', 1)
    noPort[25] = 0
    const bad = [
      '127.0.0.1',
      '10.0.0.1',
      '192.168.1.1',
      '169.254.169.254',
      '100.64.0.1',
      '224.0.0.1',
      '255.255.255.255',
      '0.0.0.0',
    ]
    expect(ledTo(concatBytes(noPort, ...bad.map((address, n) => node(n + 2, address, 80))))).toEqual([])
  })

  test('nodes that are no whole number of nodes are not read', () => {
    expect(ledTo(node(1, '80.0.0.1', 80).subarray(0, 25))).toEqual([])
    expect(ledTo(concatBytes(node(1, '80.0.0.1', 80), bytes('x')))).toEqual([])
  })

  test('who always knows somebody closer does not keep us asking for ever', () => {
    const dht = new TestDht({ settings: { ...settings, dhtRestrictSearchIps: false } })
    dht.time.run({ seconds: 1 })
    dht.know(idOf('liar'), liar)
    dht.sent.length = 0
    let done = 0
    let asked = 0
    dht.dht.getPeers(infoHash, {}, { onDone: () => done++ })
    for (let questions = dht.takeQuestions(); questions.length > 0 && asked < 10_000; questions = dht.takeQuestions()) {
      for (const question of questions) {
        asked++
        const closer = infoHash.bytes.slice()
        closer[10] ^= 128 - (asked >> 3)
        closer[19] = asked
        const nodes = concatBytes(closer, compact(`80.${asked >> 8}.${asked & 255}.1`, 1000))
        const id = question.to.address === liar.address ? idOf('liar') : dht.random.bytes(20)
        dht.answer(question, { id, nodes })
      }
    }
    expect(done).toBe(1)
    expect(asked).toBeLessThanOrEqual(400)
  })

  test('a token of a thousand bytes is not kept, a thousand peers are cut off', () => {
    const dht = new TestDht({ settings })
    dht.time.run({ seconds: 1 })
    dht.know(idOf('liar'), liar)
    dht.sent.length = 0
    let peers = 0
    let taken = -1
    dht.dht.announce(
      infoHash,
      { port: 1 },
      {
        onPeers: (p) => {
          peers += p.length
        },
        onDone: (n) => {
          taken = n
        },
      },
    )
    const [question] = dht.takeQuestions()
    const many = concatBytes(...Array.from({ length: 5000 }, (_, i) => compact(`80.${i >> 8}.${i & 255}.1`, 5)))
    dht.answer(question, { id: idOf('liar'), token: new Uint8Array(1000), values: [many] })
    expect(peers).toBeLessThanOrEqual(310)
    expect(taken).toBe(0)
    expect(dht.takeQuestions('announce_peer')).toHaveLength(0)
  })
})

describe('an empty table', () => {
  test('is not filled at the pace of those who want to be in it: five questions a second', () => {
    const dht = new TestDht()
    for (let i = 0; i < 2000; i++) {
      dht.ask('ping', {}, { address: `60.${i >> 8}.${i & 255}.1`, port: 6881 })
      dht.time.run(5)
    }
    const asked = dht.takeQuestions()
    expect(asked.length).toBeLessThanOrEqual(10 * 5 + 1)
    // Nobody twice: who is silent is no reason to ask again.
    expect(new Set(asked.map(({ to }) => to.address)).size).toBe(asked.length)
  })
})

describe('what strangers store', () => {
  test('one address fills neither a torrent, nor the storage beyond its limits', () => {
    const dht = new TestDht({ settings: { dhtMaxTorrents: 100, dhtMaxDhtItems: 50 } })
    const token = dht.ask('get_peers', { info_hash: infoHash.bytes }, attacker).bytes('token')!
    for (let port = 1; port <= 200; port++)
      dht.ask('announce_peer', { info_hash: infoHash.bytes, port, token }, attacker)
    expect(dht.dht.storage.counters()).toMatchObject({ torrents: 1, peers: 8 })
    for (let i = 0; i < 500; i++) {
      const hash = dht.random.bytes(20)
      const t = dht.ask('get_peers', { info_hash: hash }, attacker).bytes('token')
      if (t !== null) dht.ask('announce_peer', { info_hash: hash, port: 1, token: t }, attacker)
      const v = bencode(`item ${i}`)
      const target = dht.dht.putImmutableItem(v, () => {}).bytes
      const itemToken = dht.ask('get', { target }, attacker).bytes('token')!
      dht.ask('put', { v: new Preformatted(v), token: itemToken }, attacker)
    }
    expect(dht.dht.storage.counters()).toMatchObject({ torrents: 100, immutableData: 50 })
  })

  test('questions from a million addresses leave a table of bounded size', () => {
    const dht = new TestDht()
    for (let i = 0; i < 50_000; i++) {
      dht.node.incoming(bencode({ a: { id: dht.random.bytes(20) }, q: 'ping', t: 'aa', y: 'q' }), {
        address: `${60 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.1`,
        port: 6881,
      })
    }
    const { dhtNodes, dhtNodeCache } = dht.dht.status()
    expect([dhtNodes, dhtNodeCache <= 8]).toEqual([0, true])
  })
})
