import { expect, test } from 'vitest'
import { endpointText } from '../../../src/address/endpoint.ts'
import { PexInbox } from '../../../src/extensions/pexInbox.ts'
import { PexOutbox, PexRecipient } from '../../../src/extensions/pexOutbox.ts'
import { PEX_PEERS_PER_HOUR, PexQuota } from '../../../src/extensions/pexQuota.ts'
import { PexFlags } from '../../../src/peers/peerSource.ts'
import { decodeUtPex, encodeUtPex, type PexPeer } from '../../../src/wire/utPexMessage.ts'

const peer = (n: number, flags = 0): PexPeer => ({ address: `8.0.${n >> 8}.${n & 255}`, port: 6881, flags })
const peers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => peer(from + i))
const SECOND = 1000
const MINUTE = 60_000

/** An outbox, a list of who is connected, and what a recipient is told at a time. */
function scene() {
  const outbox = new PexOutbox()
  const present: PexPeer[] = []
  const told = (recipient: PexRecipient, now: number) => {
    outbox.tick(now, () => present)
    const payload = outbox.take(recipient, now)
    if (payload === null) return null
    const message = decodeUtPex(payload)
    return { added: message?.added.map(endpointText), dropped: message?.dropped.map(endpointText) }
  }
  return { outbox, present, told }
}

const names = (list: readonly PexPeer[]) => list.map(endpointText)

test('a new peer is told of everybody at once, and then each minute of who came and who left', () => {
  const { present, told } = scene()
  const recipient = new PexRecipient()
  present.push(peer(1), peer(2))
  expect(told(recipient, 0)).toEqual({ added: names([peer(1), peer(2)]), dropped: [] })
  present.shift()
  present.push(peer(3))
  expect(told(recipient, MINUTE - 1)).toBeNull()
  expect(told(recipient, MINUTE)).toEqual({ added: names([peer(3)]), dropped: names([peer(1)]) })
  expect(told(recipient, 2 * MINUTE)).toBeNull()
})

test('a peer whose first message is not a minute old hears the next time what it has missed', () => {
  const { present, told } = scene()
  told(new PexRecipient(), 0)
  present.push(peer(1))
  const late = new PexRecipient()
  told(new PexRecipient(), MINUTE)
  expect(told(late, MINUTE + 30 * SECOND)).toEqual({ added: names([peer(1)]), dropped: [] })
  present.push(peer(2))
  expect(told(late, 2 * MINUTE)).toBeNull()
  present.push(peer(3))
  expect(told(late, 3 * MINUTE)).toEqual({ added: names([peer(2), peer(3)]), dropped: [] })
})

test('nobody is told of itself, and who has nothing else to hear hears nothing', () => {
  const { outbox, present } = scene()
  const [first, second, third] = [new PexRecipient(), new PexRecipient(), new PexRecipient()]
  const told = (recipient: PexRecipient, now: number, self: PexPeer) => {
    outbox.tick(now, () => present)
    const payload = outbox.take(recipient, now, self)
    return payload === null ? null : decodeUtPex(payload)?.added.map(endpointText)
  }
  present.push(peer(1))
  expect(told(first, 0, peer(1))).toBeNull()
  present.push(peer(2))
  expect(told(first, MINUTE, peer(1))).toEqual(names([peer(2)]))
  expect(told(second, MINUTE, peer(2))).toEqual(names([peer(1)]))
  expect(told(third, MINUTE, peer(3))).toEqual(names([peer(1), peer(2)]))
})

test('a message names a hundred peers at most', () => {
  const { present, told } = scene()
  present.push(...peers(0, 500))
  expect(told(new PexRecipient(), 0)?.added).toHaveLength(100)
})

test('those who did not fit into a message are in the next, and nobody is forgotten', () => {
  const { present, told } = scene()
  const recipient = new PexRecipient()
  present.push(...peers(0, 250))
  const heard: string[] = []
  for (let minute = 0; minute < 3; minute++) heard.push(...(told(recipient, minute * MINUTE)?.added ?? []))
  expect(heard).toEqual(names(peers(0, 250)))
  present.length = 0
  expect(told(recipient, 3 * MINUTE)?.dropped).toHaveLength(250)
})

test('one address may name so many peers an hour, a /64 of IPv6 as many together', () => {
  const quota = new PexQuota()
  const takes = (address: string, now: number) => {
    let count = 0
    while (count < 1000 && quota.take(address, now)) count++
    return count
  }
  expect(takes('8.8.8.8', 0)).toBe(PEX_PEERS_PER_HOUR)
  expect(takes('8.8.8.8', 59 * MINUTE)).toBe(0)
  expect(takes('8.8.8.8', 60 * MINUTE)).toBe(PEX_PEERS_PER_HOUR)
  expect(takes('8.8.8.9', 60 * MINUTE)).toBe(PEX_PEERS_PER_HOUR)
  expect(takes('2001:db8::1', 0)).toBe(PEX_PEERS_PER_HOUR)
  expect(takes('2001:db8::2', 0)).toBe(0)
  expect(takes('2001:db8:0:1::2', 0)).toBe(PEX_PEERS_PER_HOUR)
})

test('peers are heard of once, up to the limit, and again after they were taken back', () => {
  const inbox = new PexInbox()
  const say = (added: PexPeer[], dropped: PexPeer[], now: number) =>
    inbox.receive(encodeUtPex({ added, dropped }), now, false, 50)
  expect(say(peers(0, 2), [], 0)).toEqual(peers(0, 2))
  expect(say(peers(0, 3), [], MINUTE)).toEqual(peers(2, 3))
  expect(say(peers(3, 200), [], 2 * MINUTE)).toEqual(peers(3, 50))
  expect(say(peers(60, 80), peers(0, 10), 3 * MINUTE)).toEqual(peers(60, 70))
})

test('only a peer on our network may name local addresses', () => {
  const local: PexPeer = { address: '192.168.1.7', port: 6881, flags: 0 }
  const payload = encodeUtPex({ added: [local], dropped: [] })
  expect(new PexInbox().receive(payload, 0, false, 50)).toEqual([])
  expect(new PexInbox().receive(payload, 0, true, 50)).toEqual([local])
})

test("flags are passed on, but for the one that is nobody else's business", () => {
  const payload = encodeUtPex({ added: [peer(1, PexFlags.seed | 0x80)], dropped: [] })
  expect(new PexInbox().receive(payload, 0, false, 50)).toEqual([peer(1, PexFlags.seed)])
})

test('the seventh message within a minute ends the connection', () => {
  const inbox = new PexInbox()
  const payload = encodeUtPex({ added: [], dropped: [] })
  for (let i = 0; i < 6; i++) expect(inbox.receive(payload, i * SECOND, false, 50)).toEqual([])
  expect(inbox.receive(payload, 59 * SECOND, false, 50)).toBe('tooFrequentPex')
  expect(inbox.receive(payload, 60 * SECOND, false, 50)).toEqual([])
})

test('what is too long or no dictionary ends the connection', () => {
  expect(new PexInbox().receive(new Uint8Array(500 * 1024 + 1), 0, false, 50)).toBe('pexMessageTooLarge')
  expect(new PexInbox().receive(new Uint8Array([1, 2, 3]), 0, false, 50)).toBe('invalidPexMessage')
})
