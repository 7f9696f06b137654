import { describe, expect, test } from 'vitest'
import type { Endpoint } from '../../../src/address/endpoint.ts'
import { bencode } from '../../../src/bencode/bencode.ts'
import type { Entry } from '../../../src/bencode/entry.ts'
import { ed25519CreateKeypair } from '../../../src/crypto/ed25519.ts'
import { signMutableItem } from '../../../src/dht/signMutableItem.ts'
import { concatBytes } from '../../../src/util/bytes.ts'
import { Sha1Hash } from '../../../src/util/digest.ts'
import { compact, idOf, type Sent, TestDht, text } from './testDht.ts'

const settings = { dhtPreferVerifiedNodeIds: false }
const infoHash = new Sha1Hash(new Uint8Array(20).fill(0x55))
/** An id whose first byte is `first`: the distance to `infoHash` is its xor with 0x55. */
const id = (first: number, n = 0) => Uint8Array.from({ length: 20 }, (_, i) => (i === 0 ? first : i === 1 ? n : 7))
const at = (n: number): Endpoint => ({ address: `70.${n >> 8}.${n & 255}.1`, port: 7000 })
const node = (first: number, n: number) => concatBytes(id(first, n), compact(at(n).address, 7000))

/** A DHT that knows `count` nodes, farther and farther from `infoHash`. */
function knowing(count: number, more: ConstructorParameters<typeof TestDht>[0] = {}): TestDht {
  const dht = new TestDht({ ...more, settings: { ...settings, ...more.settings } })
  dht.time.run({ seconds: 1 })
  dht.sent.length = 0
  for (let n = 0; n < count; n++) dht.know(id(0x55 ^ (0x10 + n), n), at(n))
  return dht
}

const numberOf = ({ to }: Sent) => Number(to.address.split('.')[2])

describe('a lookup', () => {
  test('asks dhtSearchBranching of the closest nodes at once', () => {
    const dht = knowing(8)
    dht.dht.getPeers(infoHash, {}, {})
    expect(dht.takeQuestions('get_peers').map(numberOf)).toEqual([0, 1, 2, 3, 4])
    expect(dht.dht.status().activeRequests).toMatchObject([
      { type: 'get_peers', outstandingRequests: 5, branchFactor: 5, nodesLeft: 3 },
    ])
  })

  test('asks closer nodes it is told of first', () => {
    const dht = knowing(8)
    dht.dht.getPeers(infoHash, {}, {})
    const [first] = dht.takeQuestions()
    dht.answer(first, { id: id(0x55 ^ 0x10, 0), nodes: concatBytes(node(0x54, 50), node(0x57, 51)) })
    expect(dht.takeQuestions().map(numberOf)).toEqual([50, 51])
  })

  test('ends when the eight closest have answered', () => {
    const dht = knowing(8)
    let done = 0
    dht.dht.getPeers(infoHash, {}, { onDone: () => done++ })
    let asked = 0
    for (let questions = dht.takeQuestions(); questions.length > 0; questions = dht.takeQuestions()) {
      for (const question of questions) {
        asked++
        dht.answer(question, { id: id(0x55 ^ (0x10 + numberOf(question)), numberOf(question)), nodes: '' })
      }
    }
    expect([done, asked]).toEqual([1, 8])
    expect(dht.dht.status().activeRequests).toEqual([])
  })

  test('asks another node for each that is silent for a second, and ends after fifteen', () => {
    const dht = knowing(8)
    let done = 0
    dht.dht.getPeers(infoHash, {}, { onDone: () => done++ })
    expect(dht.takeQuestions('get_peers')).toHaveLength(5)
    dht.time.run({ ms: 1100 })
    const more = dht
      .takeQuestions('get_peers')
      .filter((q) => text((q.message.get('a') as never as Map<string, Entry>).get('info_hash')).startsWith('UUU'))
    expect(more).toHaveLength(3)
    expect(done).toBe(0)
    dht.time.run({ seconds: 16 })
    expect(done).toBe(1)
  })

  test('takes an answer that comes late, if within fifteen seconds', () => {
    const dht = knowing(1)
    const found: Endpoint[] = []
    const from: Endpoint[] = []
    const onPeers = (peers: readonly Endpoint[], node: Endpoint) => {
      found.push(...peers)
      from.push(node)
    }
    dht.dht.getPeers(infoHash, {}, { onPeers })
    const [question] = dht.takeQuestions()
    dht.time.run({ seconds: 14 })
    dht.answer(question, { id: id(0x45, 0), values: [compact('61.0.0.1', 5)] })
    expect(found).toEqual([{ address: '61.0.0.1', port: 5 }])
    expect(from).toEqual([question.to])
  })

  test('takes no answer from anybody but the one asked, nor one to another question', () => {
    const dht = knowing(1)
    const found: Endpoint[] = []
    dht.dht.getPeers(infoHash, {}, { onPeers: (peers) => found.push(...peers) })
    const [question] = dht.takeQuestions()
    const values = { id: id(0x45, 0), values: [compact('61.0.0.1', 5)] }
    dht.answer({ ...question, to: { address: '70.0.0.1', port: 7001 } }, values)
    dht.answer({ ...question, to: { address: '70.0.0.2', port: 7000 } }, values)
    dht.answer({ ...question, message: new Map([['t', idOf('x').slice(0, 2)]]) }, values)
    expect(found).toEqual([])
    dht.answer(question, values)
    dht.answer(question, values)
    expect(found).toHaveLength(1)
  })

  test('dhtRestrictSearchIps: asks one node of a /24', () => {
    const dht = knowing(1)
    dht.dht.getPeers(infoHash, {}, {})
    const nodes = Array.from({ length: 8 }, (_, i) => concatBytes(id(0x55, i), compact(`66.6.6.${i}`, 7000)))
    dht.answer(dht.takeQuestions()[0], { id: id(0x45, 0), nodes: concatBytes(...nodes) })
    expect(dht.takeQuestions()).toHaveLength(1)
  })

  test('reads peers of both families, and those in one string', () => {
    const dht = knowing(1)
    const found: Endpoint[] = []
    dht.dht.getPeers(infoHash, {}, { onPeers: (peers) => found.push(...peers) })
    const one = concatBytes(...[7, 8, 9, 10].map((port) => compact('61.0.0.3', port)))
    const values = [compact('61.0.0.1', 5), compact('2a00::1', 6), one, 'odd']
    dht.answer(dht.takeQuestions()[0], { id: id(0x45, 0), values })
    expect(found.map(({ port }) => port)).toEqual([5, 6, 7, 8, 9, 10])
  })

  test('without any node asks the routers', () => {
    const dht = new TestDht({ settings })
    dht.time.run({ seconds: 1 })
    dht.sent.length = 0
    dht.dht.addRouter({ address: '80.0.0.1', port: 1 })
    dht.dht.getPeers(infoHash, {}, {})
    const [question] = dht.takeQuestions()
    expect(question.to.address).toBe('80.0.0.1')
    dht.answer(question, { id: idOf('router'), nodes: node(0x54, 50) })
    expect(dht.takeQuestions().map(numberOf)).toEqual([50])
    expect(dht.dht.status().dhtNodes).toBe(0)
  })

  test('dhtPrivacyLookups: nodes far away are asked for something that only begins alike', () => {
    const dht = knowing(1, { settings: { dhtPrivacyLookups: true } })
    dht.dht.getPeers(infoHash, {}, {})
    const target = (q: Sent) => (q.message.get('a') as Map<string, Entry>).get('info_hash') as Uint8Array
    const [question] = dht.takeQuestions()
    expect(target(question)).not.toEqual(infoHash.bytes)
    // id 0x45 and 0x55 share three bits: seven are right, one more than the node needs to see, and three besides.
    expect(target(question)[0] >> 1).toBe(0x55 >> 1)
    dht.answer(question, { id: id(0x45, 0) })
    const [real] = dht.takeQuestions()
    expect(target(real)).toEqual(infoHash.bytes)
  })
})

describe('announce', () => {
  test('tells the nodes that gave a token, with the token each gave', () => {
    const dht = knowing(8)
    let result = -1
    dht.dht.announce(
      infoHash,
      { port: 4321, seed: true, impliedPort: true },
      {
        onDone: (n) => {
          result = n
        },
      },
    )
    const announced: Sent[] = []
    for (let questions = dht.takeQuestions(); questions.length > 0; questions = dht.takeQuestions()) {
      for (const question of questions) {
        const n = numberOf(question)
        const values: Record<string, Entry> = { id: id(0x55 ^ (0x10 + n), n) }
        if (text(question.message.get('q')) === 'announce_peer') announced.push(question)
        else if (n !== 3) values.token = `token ${n}`
        dht.answer(question, values)
      }
    }
    expect(result).toBe(7)
    expect(announced.map(numberOf).sort()).toEqual([0, 1, 2, 4, 5, 6, 7])
    const args = announced[0].message.get('a') as Map<string, Entry>
    expect(text(args.get('token'))).toBe('token 0')
    expect([args.get('port'), args.get('seed'), args.get('implied_port')]).toEqual([4321, 1, 1])
  })

  test('of nobody, when nobody is known, is over at once', () => {
    const dht = new TestDht({ settings })
    const results: number[] = []
    dht.dht.announce(infoHash, { port: 1 }, { onDone: (n) => results.push(n) })
    expect(results).toEqual([0])
  })
})

describe('items (BEP 44)', () => {
  const { publicKey, secretKey } = ed25519CreateKeypair(new Uint8Array(32).fill(5))
  const none = new Uint8Array(0)
  const itemValues = (seq: number, value: string, key = publicKey, secret = secretKey) => {
    const { signature } = signMutableItem(bencode(value), none, BigInt(seq), key, secret)
    return { id: id(0x45, 0), k: key, seq, sig: signature, v: value }
  }

  test('a value that does not hash to the target is not believed', () => {
    const dht = knowing(2)
    const results: (Uint8Array | null)[] = []
    const good = bencode('good')
    const target = new Sha1Hash(dht.dht.putImmutableItem(good, () => {}).bytes)
    dht.takeQuestions()
    dht.dht.getImmutableItem(target, (value) => results.push(value))
    const [a, b] = dht.takeQuestions()
    dht.answer(a, { id: id(0x55 ^ (0x10 + numberOf(a)), numberOf(a)), v: 'evil' })
    expect(results).toEqual([])
    dht.answer(b, { id: id(0x55 ^ (0x10 + numberOf(b)), numberOf(b)), v: 'good' })
    expect(results).toEqual([good])
  })

  test('the newest of what is found wins; forged and older ones do not', () => {
    const dht = knowing(4)
    const found: [bigint | undefined, boolean][] = []
    dht.dht.getMutableItem(publicKey, none, (item, last) => found.push([item?.seq, last]))
    const questions = dht.takeQuestions()
    const liar = ed25519CreateKeypair(new Uint8Array(32).fill(6))
    const answers = [
      itemValues(2, 'two'),
      { ...itemValues(9, 'nine'), sig: new Uint8Array(64) },
      itemValues(8, 'eight', liar.publicKey, liar.secretKey),
      itemValues(3, 'three'),
    ]
    for (const [i, q] of questions.entries()) {
      dht.answer(q, { ...answers[i], id: id(0x55 ^ (0x10 + numberOf(q)), numberOf(q)) })
    }
    expect(found).toEqual([
      [2n, false],
      [3n, false],
      [3n, true],
    ])
  })

  test('a mutable item is changed from what is stored', () => {
    const dht = knowing(2)
    let result: [bigint | undefined, number] | null = null
    dht.dht.putMutableItem(
      publicKey,
      none,
      (current) => signMutableItem(bencode('next'), none, (current?.seq ?? 0n) + 1n, publicKey, secretKey),
      (item, n) => {
        result = [item?.seq, n]
      },
    )
    const values = (q: Sent) => ({
      ...itemValues(6, 'six'),
      id: id(0x55 ^ (0x10 + numberOf(q)), numberOf(q)),
      token: 'tt',
    })
    for (const question of dht.takeQuestions('get')) dht.answer(question, values(question))
    const puts = dht.takeQuestions('put')
    expect(puts).toHaveLength(2)
    expect((puts[0].message.get('a') as Map<string, Entry>).get('seq')).toBe(7)
    dht.answer(puts[0], { id: id(0x45, 0) })
    dht.node.incoming(bencode({ e: [302, 'old'], t: puts[1].message.get('t')!, y: 'e' }), puts[1].to)
    expect(result).toEqual([7n, 1])
  })

  test('a value of 1001 bytes cannot be put', () => {
    expect(() => new TestDht().dht.putImmutableItem(new Uint8Array(1001), () => {})).toThrow('1 to 1000 bytes')
  })
})

test('sample_infohashes: a valid answer is passed on, an invalid one is none (BEP 51)', () => {
  const dht = knowing(0)
  const results: (number | null)[] = []
  const sample = () =>
    dht.dht.sampleInfohashes(at(1), infoHash, (result) => results.push(result === null ? null : result.samples.length))
  const values = { id: id(1), interval: 60, num: 5, samples: new Uint8Array(60), nodes: node(1, 1) }
  for (const change of [{}, { interval: -1 }, { interval: 21_601 }, { samples: 'x' }, { num: -1 }]) {
    sample()
    dht.answer(dht.takeQuestions('sample_infohashes')[0], { ...values, ...change })
  }
  expect(results).toEqual([3, null, null, null, null])
})

test('a direct request is sent as given and its answer handed over, an error too', () => {
  const dht = knowing(0)
  const results: (string | null)[] = []
  const ask = () =>
    dht.dht.directRequest(at(1), { q: 'dance', a: { step: 'waltz' } }, (r) => results.push(r?.getText('y') ?? null))
  ask()
  const [question] = dht.takeQuestions('dance')
  expect(text((question.message.get('a') as Map<string, Entry>).get('step'))).toBe('waltz')
  dht.answer(question, { id: id(1) })
  ask()
  const [second] = dht.takeQuestions('dance')
  dht.node.incoming(bencode({ e: [204, 'no'], t: second.message.get('t')!, y: 'e' }), second.to)
  ask()
  dht.time.run({ seconds: 16 })
  expect(results).toEqual(['r', 'e', null])
  expect(() => dht.dht.directRequest(at(1), { a: {} }, () => {})).toThrow("needs 'q'")
})

test('a node that cannot be reached fails at once when the system says so', () => {
  const dht = knowing(1)
  let done = 0
  dht.dht.getPeers(infoHash, {}, { onDone: () => done++ })
  dht.node.unreachable(at(0))
  expect(done).toBe(1)
})

test('stopping ends lookups and leaves no timer', () => {
  const dht = knowing(8)
  let done = 0
  dht.dht.getPeers(infoHash, {}, { onDone: () => done++ })
  dht.dht.announce(infoHash, { port: 1 }, { onDone: () => done++ })
  dht.dht.stop()
  expect(done).toBe(2)
  expect(dht.time.pending).toBe(0)
})

test('the address the others see us at changes our id, and keeps the table (BEP 42)', () => {
  const seen: string[] = []
  const dht = knowing(3, { host: { onExternalAddress: (_, address) => seen.push(address) } })
  const before = dht.node.ownId
  dht.dht.getPeers(infoHash, {}, {})
  for (const question of dht.takeQuestions()) {
    const n = numberOf(question)
    dht.answer(question, { id: id(0x55 ^ (0x10 + n), n) }, { ip: compact('91.2.3.4', 6881) })
  }
  expect(seen).toEqual(['91.2.3.4'])
  expect(dht.node.ownId).not.toEqual(before)
  expect(dht.dht.status().dhtNodes).toBe(3)
})
