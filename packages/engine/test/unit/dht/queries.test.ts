import { describe, expect, test } from 'vitest'
import { bencode } from '../../../src/bencode/bencode.ts'
import { type Entry, Preformatted } from '../../../src/bencode/entry.ts'
import { ed25519CreateKeypair } from '../../../src/crypto/ed25519.ts'
import { immutableTarget, mutableTarget } from '../../../src/dht/mutableItem.ts'
import { contactOf } from '../../../src/dht/nodeContact.ts'
import { compareDistance } from '../../../src/dht/nodeDistance.ts'
import { signMutableItem } from '../../../src/dht/signMutableItem.ts'
import { compact, idOf, TestDht, text } from './testDht.ts'

const asker = { address: '60.1.2.3', port: 6000 }
const hash = idOf('info-hash')

function token(dht: TestDht, infoHash: Uint8Array, from = asker): Uint8Array {
  return dht.ask('get_peers', { info_hash: infoHash }, from).bytes('token')!
}

function itemToken(dht: TestDht, target: Uint8Array): Uint8Array {
  return dht.ask('get', { target }, asker).bytes('token')!
}

/** Knows `count` nodes in networks of their own. */
function knowMany(dht: TestDht, count: number): Uint8Array[] {
  const ids = Array.from({ length: count }, () => dht.random.bytes(20))
  for (const [i, id] of ids.entries()) dht.know(id, { address: `70.${i >> 8}.${i & 255}.1`, port: 7000 + i })
  return ids
}

test('a ping is answered with our id, and with where we see the asker (BEP 42)', () => {
  const dht = new TestDht()
  const answer = dht.ask('ping', {}, asker)
  expect(answer.bytes('id')).toEqual(new Uint8Array(dht.node.ownId))
  expect(answer.values.get('p')).toBe(6000)
  expect(answer.sent!.message.get('ip')).toEqual(compact('60.1.2.3', 6000))
  expect(text(answer.sent!.message.get('t'))).toBe('aa')
  expect(answer.sent!.to).toEqual(asker)
})

test('messages say of which client they are; in anonymous mode neither answers, errors nor questions do', () => {
  const versionsOf = (anonymousMode: boolean) => {
    const dht = new TestDht({ settings: { anonymousMode } })
    dht.ask('ping', {}, asker)
    dht.ask('find_node', {}, asker)
    dht.dht.directRequest(asker, { q: 'hello' }, () => {})
    dht.dht.addNode({ address: '62.1.1.1', port: 1 })
    dht.time.run({ seconds: 1 })
    const { sent } = dht
    expect(sent.map(({ message }) => text(message.get('y')))).toEqual(expect.arrayContaining(['r', 'e', 'q']))
    expect(sent.map(({ message }) => text(message.get('q')))).toEqual(expect.arrayContaining(['hello', 'get_peers']))
    return new Set(sent.map(({ message }) => text(message.get('v')).slice(0, 2)))
  }
  expect(versionsOf(false)).toEqual(new Set(['LJ']))
  expect(versionsOf(true)).toEqual(new Set(['']))
})

test('find_node tells of the eight closest nodes, closest first', () => {
  const dht = new TestDht({ settings: { dhtPreferVerifiedNodeIds: false } })
  const ids = knowMany(dht, 100)
  const target = dht.random.bytes(20)
  const nodes = dht.ask('find_node', { target }, asker).bytes('nodes')!
  const closest = ids.sort((a, b) => compareDistance(a, b, target)).slice(0, 8)
  expect(nodes.length).toBe(8 * 26)
  for (const [i, id] of closest.entries()) expect(nodes.slice(i * 26, i * 26 + 20)).toEqual(id)
})

describe('get_peers and announce_peer', () => {
  test('what was announced is found, with the port that was announced', () => {
    const dht = new TestDht()
    const answer = dht.ask('announce_peer', { info_hash: hash, port: 4321, token: token(dht, hash) }, asker)
    expect(answer.error).toBeNull()
    const found = dht.ask('get_peers', { info_hash: hash }, { address: '61.1.1.1', port: 1 })
    expect(found.values.get('values')).toEqual([compact('60.1.2.3', 4321)])
  })

  test('with implied_port the port is the one the packet came from', () => {
    const dht = new TestDht()
    dht.ask('announce_peer', { info_hash: hash, port: 1, implied_port: 1, token: token(dht, hash) }, asker)
    const found = dht.ask('get_peers', { info_hash: hash }, asker)
    expect(found.values.get('values')).toEqual([compact('60.1.2.3', 6000)])
  })

  test('the session hears of both', () => {
    const heard: string[] = []
    const dht = new TestDht({
      host: {
        onGetPeers: (infoHash) => heard.push(`get ${infoHash.toHex().slice(0, 4)}`),
        onAnnounce: (_, peer) => heard.push(`announce ${peer.address}:${peer.port}`),
      },
    })
    dht.ask('announce_peer', { info_hash: hash, port: 4321, token: token(dht, hash) }, asker)
    expect(heard).toEqual([`get ${Buffer.from(hash).toString('hex').slice(0, 4)}`, 'announce 60.1.2.3:4321'])
  })

  test('a token is good for one address and one info-hash', () => {
    const dht = new TestDht()
    const good = token(dht, hash)
    const announce = (infoHash: Uint8Array, from: typeof asker, t: Entry) =>
      dht.ask('announce_peer', { info_hash: infoHash, port: 1, token: t }, from).error
    expect(announce(hash, { address: '60.1.2.4', port: 6000 }, good)).toEqual([203, 'invalid token'])
    expect(announce(idOf('another'), asker, good)).toEqual([203, 'invalid token'])
    expect(announce(hash, asker, 'short')).toEqual([203, 'invalid token'])
    expect(announce(hash, { ...asker, port: 6001 }, good)).toBeNull()
  })

  test('a token lives five minutes at least and ten at most', () => {
    const dht = new TestDht()
    const announce = (t: Uint8Array) => dht.ask('announce_peer', { info_hash: hash, port: 1, token: t }, asker).error
    const first = token(dht, hash)
    dht.time.run({ minutes: 5, seconds: 1 })
    expect(announce(first)).toBeNull()
    dht.time.run({ minutes: 5 })
    expect(announce(first)).toEqual([203, 'invalid token'])
  })

  test.each([0, -1, 65536])('port %i is refused', (port) => {
    const dht = new TestDht()
    const answer = dht.ask('announce_peer', { info_hash: hash, port, token: token(dht, hash) }, asker)
    expect(answer.error).toEqual([203, 'invalid port'])
  })

  test('BEP 33: a seed asks for peers that are none, and a scrape gets filters', () => {
    const dht = new TestDht()
    const peers = [
      { address: '60.1.1.1', port: 1, seed: 1 },
      { address: '60.1.2.1', port: 2, seed: 0 },
      { address: '60.1.3.1', port: 3, seed: 1 },
    ]
    for (const { seed, ...from } of peers) {
      dht.ask('announce_peer', { info_hash: hash, port: from.port, seed, token: token(dht, hash, from) }, from)
    }
    const noSeeds = dht.ask('get_peers', { info_hash: hash, noseed: 1 }, asker)
    expect(noSeeds.values.get('values')).toEqual([compact('60.1.2.1', 2)])
    const scrape = dht.ask('get_peers', { info_hash: hash, scrape: 1 }, asker)
    expect(scrape.bytes('BFsd')?.length).toBe(256)
    expect(scrape.bytes('BFpe')?.length).toBe(256)
    const bits = (filter: Uint8Array) => filter.reduce((n, byte) => n + byte.toString(2).replaceAll('0', '').length, 0)
    expect([bits(scrape.bytes('BFsd')!), bits(scrape.bytes('BFpe')!)]).toEqual([4, 2])
  })

  test('a full torrent gives no token to newcomers, so that they go to our neighbours', () => {
    const dht = new TestDht({ settings: { dhtMaxPeers: 1 } })
    dht.ask('announce_peer', { info_hash: hash, port: 4321, token: token(dht, hash) }, asker)
    expect(dht.ask('get_peers', { info_hash: hash }, asker).bytes('token')).not.toBeNull()
    expect(dht.ask('get_peers', { info_hash: hash }, { address: '61.1.1.1', port: 1 }).bytes('token')).toBeNull()
  })
})

describe('BEP 44, put and get', () => {
  const { publicKey, secretKey } = ed25519CreateKeypair(new Uint8Array(32).fill(5))
  const none = new Uint8Array(0)
  const encoded = bencode('Hello World!')

  function put(dht: TestDht, seq: number, value: Entry, more: Record<string, Entry> = {}, salt = none) {
    const item = signMutableItem(bencode(value), salt, BigInt(seq), publicKey, secretKey)
    const args = {
      k: publicKey,
      seq,
      sig: item.signature,
      v: value,
      token: itemToken(dht, mutableTarget(publicKey, salt)),
    }
    return dht.ask('put', { ...args, ...(salt.length > 0 ? { salt } : {}), ...more }, asker)
  }

  test('an immutable item comes back byte for byte', () => {
    const dht = new TestDht()
    const target = immutableTarget(encoded)
    expect(dht.ask('put', { v: new Preformatted(encoded), token: itemToken(dht, target) }, asker).error).toBeNull()
    expect(dht.ask('get', { target }, asker).values.get('v')).toEqual(Uint8Array.from(Buffer.from('Hello World!')))
  })

  test('a mutable item comes back with key, signature and number', () => {
    const dht = new TestDht()
    expect(put(dht, 4, 'v4').error).toBeNull()
    const got = dht.ask('get', { target: mutableTarget(publicKey, none) }, asker)
    expect(got.bytes('k')).toEqual(publicKey)
    expect(got.bytes('sig')?.length).toBe(64)
    expect(got.values.get('seq')).toBe(4)
    expect(text(got.values.get('v'))).toBe('v4')
  })

  test('a value is sent only to who has an older one', () => {
    const dht = new TestDht()
    put(dht, 4, 'v4')
    const target = mutableTarget(publicKey, none)
    expect(dht.ask('get', { target, seq: 3 }, asker).values.has('v')).toBe(true)
    const same = dht.ask('get', { target, seq: 4 }, asker)
    expect(same.values.has('v')).toBe(false)
    expect(same.values.get('seq')).toBe(4)
  })

  test('numbers only grow: 302', () => {
    const dht = new TestDht()
    put(dht, 4, 'v4')
    expect(put(dht, 3, 'v3').error).toEqual([302, 'old sequence number'])
    expect(put(dht, 4, 'another v4').error).toEqual([302, 'old sequence number'])
    expect(put(dht, 4, 'v4').error).toBeNull()
    expect(put(dht, 5, 'v5').error).toBeNull()
  })

  test('compare and swap: 301', () => {
    const dht = new TestDht()
    expect(put(dht, 1, 'v1', { cas: 7 }).error).toBeNull()
    expect(put(dht, 2, 'v2', { cas: 7 }).error).toEqual([301, 'CAS mismatch'])
    expect(put(dht, 2, 'v2', { cas: 1 }).error).toBeNull()
  })

  test('too large: 205, a salt too long: 207, a wrong signature: 206', () => {
    const dht = new TestDht()
    const large = bencode('x'.repeat(997))
    expect(large.length).toBe(1001)
    const args = { v: new Preformatted(large), token: itemToken(dht, immutableTarget(large)) }
    expect(dht.ask('put', args, asker).error).toEqual([205, 'message too big'])
    expect(put(dht, 1, 'v', { salt: 's'.repeat(65) }).error).toEqual([207, 'salt too big'])
    expect(put(dht, 1, 'v', { sig: new Uint8Array(64) }).error).toEqual([206, 'invalid signature'])
    expect(put(dht, 1, 'v', { seq: -1 }).error).toEqual([203, 'invalid (negative) sequence number'])
  })

  test('the largest value and salt are taken', () => {
    const dht = new TestDht()
    const salt = new Uint8Array(64).fill(1)
    expect(put(dht, 1, 'x'.repeat(996), {}, salt).error).toBeNull()
    const got = dht.ask('get', { target: mutableTarget(publicKey, salt) }, asker)
    expect(got.bytes('v')?.length).toBe(996)
    expect(got.size).toBeLessThanOrEqual(1400)
  })

  test('a value that another encoder would write differently is refused', () => {
    const dht = new TestDht()
    const unsorted = new Preformatted(Buffer.from('d1:bi1e1:ai2ee'))
    const args = { v: unsorted, token: itemToken(dht, immutableTarget(unsorted.bytes)) }
    expect(dht.ask('put', args, asker).error).toEqual([203, 'invalid bencoding'])
  })

  test('no token, no put: an item of another target is not written either', () => {
    const dht = new TestDht()
    const other = itemToken(dht, idOf('other'))
    expect(dht.ask('put', { v: new Preformatted(encoded), token: other }, asker).error).toEqual([203, 'invalid token'])
    expect(put(dht, 1, 'v', { token: other }).error).toEqual([203, 'invalid token'])
  })

  test('more signatures than a second has time for are put off: 202', () => {
    const dht = new TestDht()
    const codes = Array.from({ length: 400 }, (_, i) => put(dht, 1, `v${i}`, { sig: new Uint8Array(64) }).error![0])
    expect(codes.filter((code) => code === 206)).toHaveLength(300)
    expect(codes.at(-1)).toBe(202)
    dht.time.run({ seconds: 1 })
    expect(put(dht, 1, 'v').error).toBeNull()
  })
})

describe('BEP 51, sample_infohashes', () => {
  test('a sample of what is stored, and how long it will stand', () => {
    const dht = new TestDht()
    for (let i = 0; i < 50; i++) {
      const infoHash = dht.random.bytes(20)
      dht.ask('announce_peer', { info_hash: infoHash, port: 1, token: token(dht, infoHash) }, asker)
    }
    dht.know(dht.random.bytes(20), asker)
    const answer = dht.ask('sample_infohashes', { target: hash }, asker)
    expect(answer.values.get('num')).toBe(50)
    expect(answer.values.get('interval')).toBe(21_600)
    expect(answer.bytes('samples')!.length).toBe(20 * 20)
    expect(dht.ask('sample_infohashes', { target: hash }, asker).bytes('samples')).toEqual(answer.bytes('samples'))
    dht.time.run({ seconds: 21_601 })
    expect(answer.values.get('num')).toBe(50)
  })

  test('a node without torrents answers with an empty sample', () => {
    const answer = new TestDht().ask('sample_infohashes', { target: hash }, asker)
    expect(answer.bytes('samples')).toEqual(new Uint8Array(0))
    expect(answer.values.get('num')).toBe(0)
  })
})

describe('BEP 32', () => {
  test('nodes of both families are told to who wants them', () => {
    const dht = new TestDht()
    const v6 = dht.addSocket({ address: '2a00:1::1', port: 6881 })
    dht.know(idOf('four'), { address: '70.1.1.1', port: 4 })
    v6.table.nodeSeen(idOf('six'), contactOf({ address: '2a00:5::1', port: 6 })!, 50)
    expect([...dht.ask('find_node', { target: hash }, asker).values.keys()]).not.toContain('nodes6')
    const both = dht.ask('find_node', { target: hash, want: ['n4', 'n6', 'x9'] }, asker)
    expect([both.bytes('nodes')?.length, both.bytes('nodes6')?.length]).toEqual([26, 38])
    const six = dht.ask('find_node', { target: hash, want: ['n6'] }, asker)
    expect([six.bytes('nodes'), six.bytes('nodes6')?.length]).toEqual([null, 38])
  })

  test('a node of IPv6 tells nodes6 and keeps peers of 18 bytes', () => {
    const dht = new TestDht({ local: { address: '2a00:1::1', port: 6881 } })
    const from = { address: '2a00:9::1', port: 6000 }
    dht.ask('announce_peer', { info_hash: hash, port: 4321, token: token(dht, hash, from) }, from)
    const answer = dht.ask('get_peers', { info_hash: hash }, from)
    expect(answer.bytes('nodes6')).not.toBeNull()
    expect(answer.values.get('values')).toEqual([compact('2a00:9::1', 4321)])
  })
})

describe('questions that are not understood', () => {
  test.each([
    ['without arguments', { y: 'q', q: 'ping', t: 'aa', filler: 'xxxxxxxxxxxx' }, [203, "missing 'a' key"]],
    ['without an id', { y: 'q', q: 'ping', t: 'aa', a: { x: 'xxxxxxxxx' } }, [203, "invalid value for 'id'"]],
    ['without a method', { y: 'q', t: 'aa', a: { id: idOf('x') } }, [203, "missing 'q' key"]],
    ['of an unknown method', { y: 'q', q: 'dance', t: 'aa', a: { id: idOf('x') } }, [204, 'unknown message']],
    [
      'without a target',
      { y: 'q', q: 'find_node', t: 'aa', a: { id: idOf('x') } },
      [203, "invalid value for 'target'"],
    ],
  ])('%s get an error', (_, query, error) => {
    const sent = new TestDht().receive(bencode(query as Entry), asker)!
    const [code, message] = sent.message.get('e') as readonly Entry[]
    expect([code, text(message)]).toEqual(error)
    expect(text(sent.message.get('y'))).toBe('e')
  })

  test('of an unknown method, but with a target, are shown the way', () => {
    const dht = new TestDht()
    dht.know(idOf('node'), { address: '70.1.1.1', port: 4 })
    expect(dht.ask('dance', { target: hash }, asker).bytes('nodes')?.length).toBe(26)
  })
})

test('BEP 43: a read-only node answers nothing and marks its questions', () => {
  const dht = new TestDht({ settings: { dhtReadOnly: true } })
  expect(dht.ask('ping', {}, asker).sent).toBeNull()
  dht.dht.addNode(asker)
  expect(dht.takeQuestions()[0].message.get('ro')).toBe(1)
})

test('BEP 43: who is read-only is answered, and kept out of the table', () => {
  const dht = new TestDht()
  expect(dht.ask('ping', {}, asker, { ro: 1 }).sent).not.toBeNull()
  expect(dht.dht.status().dhtNodeCache).toBe(0)
  dht.ask('ping', {}, asker)
  expect(dht.dht.status().dhtNodeCache).toBe(1)
})

test('BEP 42: with dhtEnforceNodeId a question under a foreign id gets an error that tells the address', () => {
  const dht = new TestDht({ settings: { dhtEnforceNodeId: true } })
  const answer = dht.ask('ping', {}, asker)
  expect(answer.error).toEqual([203, 'invalid node ID'])
  expect(answer.sent!.message.get('ip')).toEqual(compact('60.1.2.3', 6000))
})
