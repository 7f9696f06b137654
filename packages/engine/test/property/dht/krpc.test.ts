import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bdecode } from '../../../src/bencode/bdecode.ts'
import { bencode } from '../../../src/bencode/bencode.ts'
import type { Entry } from '../../../src/bencode/entry.ts'
import { readDhtState, writeDhtState } from '../../../src/dht/dhtState.ts'
import { decodeKrpc } from '../../../src/dht/krpcMessage.ts'
import { contactOf, NodeContact } from '../../../src/dht/nodeContact.ts'
import { TestDht } from '../../unit/dht/testDht.ts'

const bytes = (min: number, max: number) => fc.uint8Array({ minLength: min, maxLength: max })
const from = { address: '60.1.2.3', port: 6000 }

const value: fc.Arbitrary<Entry> = fc.letrec<{ value: Entry }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.integer(),
    bytes(0, 40),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom('id', 'a', 'token', 'v', 'k', 'seq', 'nodes', 'target', 'want'), tie('value')),
  ),
})).value

/** Dictionaries that look like messages, every part of which may be wrong. */
const almostMessage = fc.dictionary(
  fc.constantFrom('y', 'q', 't', 'a', 'r', 'e', 'ro', 'ip', 'v'),
  fc.oneof(value, fc.constantFrom('q', 'r', 'e', 'get_peers', 'put', 'get', 'announce_peer', 'find_node', 'ping')),
)

/** Questions in which one argument or another has a wrong type or size. */
const almostQuery = fc.record({
  method: fc.constantFrom(
    'ping',
    'find_node',
    'get_peers',
    'announce_peer',
    'get',
    'put',
    'sample_infohashes',
    'dance',
  ),
  args: fc.dictionary(
    fc.constantFrom(
      'target',
      'info_hash',
      'token',
      'port',
      'seed',
      'noseed',
      'scrape',
      'want',
      'v',
      'k',
      'sig',
      'seq',
      'cas',
      'salt',
      'n',
      'implied_port',
      '__proto__',
    ),
    fc.oneof(value, bytes(20, 20), bytes(8, 8), bytes(32, 32), bytes(64, 64), fc.constant(2 ** 53 - 1)),
  ),
})

test('no bytes make the decoder throw', () => {
  fc.assert(fc.property(bytes(0, 300), (packet) => void decodeKrpc(packet)))
  fc.assert(fc.property(almostMessage, (message) => void decodeKrpc(bencode(message))))
})

test('a message that was changed somewhere makes neither the decoder nor the node throw', () => {
  const dht = new TestDht()
  fc.assert(
    fc.property(almostMessage, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }), (message, changes) => {
      const packet = bencode(message)
      for (const [at, byte] of changes) packet[at % packet.length] = byte
      dht.node.incoming(packet, from)
    }),
  )
})

test('every question is answered or refused in one packet that decodes, and is never larger than a packet', () => {
  const dht = new TestDht()
  fc.assert(
    fc.property(almostQuery, bytes(0, 20), ({ method, args }, t) => {
      dht.sent.length = 0
      const query = bencode({ y: 'q', q: method, t, a: { ...args, id: new Uint8Array(20).fill(1) } })
      dht.node.incoming(query, from)
      expect(dht.sent).toHaveLength(1)
      expect(dht.sent[0].message.get('t')).toEqual(t)
      expect(dht.sent[0].bytes.length).toBeLessThanOrEqual(1400)
    }),
  )
})

test('answers with anything in them make no lookup throw', () => {
  const dht = new TestDht({ settings: { dhtPreferVerifiedNodeIds: false } })
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.constantFrom('nodes', 'nodes6', 'values', 'token', 'v', 'k', 'sig', 'seq', 'BFsd', 'BFpe'),
        value,
      ),
      fc.constantFrom('peers', 'scrape', 'immutable', 'mutable', 'sample'),
      (values, kind) => {
        dht.know(new Uint8Array(20).fill(9), { address: '70.1.1.1', port: 7 })
        dht.sent.length = 0
        const hash = dht.dht.putImmutableItem(Uint8Array.of(0x30, 0x3a), () => {})
        if (kind === 'peers') dht.dht.getPeers(hash, {}, {})
        else if (kind === 'scrape') dht.dht.getPeers(hash, { scrape: true }, {})
        else if (kind === 'immutable') dht.dht.getImmutableItem(hash, () => {})
        else if (kind === 'mutable') dht.dht.getMutableItem(new Uint8Array(32), new Uint8Array(0), () => {})
        else dht.dht.sampleInfohashes({ address: '70.1.1.1', port: 7 }, hash, () => {})
        for (const question of dht.takeQuestions()) dht.answer(question, { ...values, id: new Uint8Array(20).fill(9) })
        dht.time.run({ seconds: 16 })
      },
    ),
    { numRuns: 200 },
  )
})

test('a contact has the same compact form as text and as bytes', () => {
  const v4 = fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 65535 }))
  const v6 = fc.tuple(fc.ipV6(), fc.integer({ min: 1, max: 65535 }))
  fc.assert(
    fc.property(fc.oneof(v4, v6), ([address, port]) => {
      const contact = contactOf({ address, port })
      if (contact === null) return
      const again = contactOf(new NodeContact(contact.compact).endpoint)
      expect(again?.key).toBe(contact.key)
      expect(again?.port).toBe(port)
    }),
  )
})

test('the state survives being saved, and no state makes reading throw', () => {
  const contact = fc
    .oneof(bytes(6, 6), bytes(18, 18))
    .map((compact) => new NodeContact(Uint8Array.from(compact, (b) => (b % 100) + 20)))
  fc.assert(
    fc.property(fc.array(contact), bytes(20, 20), (contacts, id) => {
      const state = {
        nodeIds: [{ address: '10.0.0.1', id }],
        nodes: contacts.filter((c) => !c.isV6),
        nodes6: contacts.filter((c) => c.isV6),
      }
      const decoded = bdecode(bencode(writeDhtState(state)))
      const read = readDhtState(decoded.ok ? decoded.root : null)
      expect(read.nodeIds.map((n) => [n.address, [...n.id]])).toEqual([['10.0.0.1', [...id]]])
      expect([...read.nodes, ...read.nodes6].map((c) => c.key)).toEqual(
        [...state.nodes, ...state.nodes6].map((c) => c.key),
      )
    }),
  )
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('node-id', 'nodes', 'nodes6'), value), (entry) => {
      const decoded = bdecode(bencode(entry))
      if (decoded.ok) readDhtState(decoded.root)
    }),
  )
})
