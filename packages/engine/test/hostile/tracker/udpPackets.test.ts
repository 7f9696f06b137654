import { beforeEach, describe, expect, test } from 'vitest'
import type { Endpoint } from '../../../src/address/endpoint.ts'
import { TrackerClient } from '../../../src/tracker/trackerClient.ts'
import { type AnnounceReply, MAX_PEERS_PER_REPLY, type TrackerFailure } from '../../../src/tracker/trackerRequest.ts'
import { readU32, writeU32 } from '../../../src/util/bytes.ts'
import { fakePlatform, settings } from '../../unit/tracker/fakes.ts'
import { request } from '../../unit/tracker/requests.ts'

const AT: Endpoint = { address: '10.0.0.1', port: 1337 }

let platform: ReturnType<typeof fakePlatform>
let results: (AnnounceReply | TrackerFailure)[]

beforeEach(() => {
  platform = fakePlatform()
  results = []
  const client = new TrackerClient({ platform, settings: settings() })
  client.announce(request({ url: 'udp://10.0.0.1:1337' }), (result) => results.push(result))
  platform.time.pass(100)
})

const sent = () => platform.udp.sent
const transaction = () => readU32(sent()[sent().length - 1].packet, 12)

function packet(action: number, transactionId: number, body: Uint8Array | number = 0): Uint8Array {
  const rest = typeof body === 'number' ? new Uint8Array(body) : body
  const bytes = new Uint8Array(8 + rest.length)
  writeU32(bytes, 0, action)
  writeU32(bytes, 4, transactionId)
  bytes.set(rest, 8)
  return bytes
}

const deliver = (bytes: Uint8Array, from = AT) => platform.udp.deliver(bytes, from)

/** The tracker answers the connect, so that the announce is out. */
function connect(): void {
  deliver(packet(0, transaction(), 8))
  expect(sent()).toHaveLength(2)
}

describe('while a connect is out', () => {
  test.each([
    ['an unknown transaction', () => deliver(packet(0, transaction() ^ 1, 8))],
    ['transaction 0', () => deliver(packet(0, 0, 8))],
    ['another address', () => deliver(packet(0, transaction(), 8), { address: '10.0.0.2', port: 1337 })],
    ['another port', () => deliver(packet(0, transaction(), 8), { address: '10.0.0.1', port: 1338 })],
    ['an announce answer', () => deliver(packet(1, transaction(), 18))],
    ['a scrape answer', () => deliver(packet(2, transaction(), 12))],
    ['an unknown action', () => deliver(packet(4, transaction(), 12))],
    ['seven bytes', () => deliver(packet(0, transaction()).subarray(0, 7))],
    ['nothing', () => deliver(new Uint8Array(0))],
    ['a refusal by somebody else', () => deliver(packet(3, transaction(), 5), { address: '10.0.0.9', port: 1337 })],
  ])('%s is ignored', (_, arrive) => {
    arrive()
    expect(results).toEqual([])
    expect(sent()).toHaveLength(1)
    connect()
  })
})

test('a connect answer that is repeated does not make the announce be repeated', () => {
  const answer = packet(0, transaction(), 8)
  connect()
  for (let i = 0; i < 1000; i++) deliver(answer)
  expect(sent()).toHaveLength(2)
})

test('an answer that is repeated is reported once', () => {
  connect()
  const answer = packet(1, transaction(), 18)
  for (let i = 0; i < 1000; i++) deliver(answer)
  expect(results).toHaveLength(1)
})

test('an answer of 64 kB gives no more peers than a peer list holds', () => {
  connect()
  deliver(packet(1, transaction(), new Uint8Array(12 + 6 * 10_900).fill(1)))
  expect((results[0] as AnnounceReply).peers).toHaveLength(MAX_PEERS_PER_REPLY)
})

test('an answer whose peers are cut off is an error, and none of them is taken', () => {
  connect()
  deliver(packet(1, transaction(), new Uint8Array(12 + 17).fill(1)))
  expect(results).toEqual([
    expect.objectContaining({ error: expect.objectContaining({ code: 'invalidTrackerResponseLength' }) }),
  ])
})

test('a refusal of a megabyte is cut to half a kilobyte', () => {
  deliver(packet(3, transaction(), new Uint8Array(1_000_000).fill(0x1b)))
  expect((results[0] as TrackerFailure).message.length).toBeLessThanOrEqual(500)
})

test('a tracker that refuses each connection id it gave is asked no more than twice', () => {
  connect()
  deliver(packet(3, transaction(), 2))
  expect(results).toHaveLength(1)
  expect(sent()).toHaveLength(2)
})

test('negative counts and intervals arrive as what they are, unknown', () => {
  connect()
  deliver(packet(1, transaction(), new Uint8Array(12).fill(0xff)))
  expect(results).toEqual([expect.objectContaining({ interval: -1, complete: -1, incomplete: -1 })])
})
