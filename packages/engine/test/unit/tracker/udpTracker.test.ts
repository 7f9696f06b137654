import { beforeEach, describe, expect, test } from 'vitest'
import type { Endpoint } from '../../../src/address/endpoint.ts'
import { TrackerClient } from '../../../src/tracker/trackerClient.ts'
import type { AnnounceReply, ScrapeReply, TrackerFailure } from '../../../src/tracker/trackerRequest.ts'
import type { TrackerSettings } from '../../../src/tracker/trackerSettings.ts'
import { udpWait } from '../../../src/tracker/udpExchange.ts'
import { readU32, toHex, writeU32 } from '../../../src/util/bytes.ts'
import { fakePlatform, type SentPacket, settings } from './fakes.ts'
import { request } from './requests.ts'

const URL = 'udp://10.0.0.1:1337/announce'
const AT: Endpoint = { address: '10.0.0.1', port: 1337 }

type Result = AnnounceReply | ScrapeReply | TrackerFailure

let platform: ReturnType<typeof fakePlatform>
let client: TrackerClient
let results: Result[]

beforeEach(() => open())

function open(changes: Partial<TrackerSettings> = {}): void {
  platform = fakePlatform()
  client = new TrackerClient({ platform, settings: settings(changes) })
  results = []
}

const announce = (url = URL, changes = {}) =>
  client.announce(request({ url, ...changes }), (result) => results.push(result))

function actionOf(sent: SentPacket): 'connect' | 'announce' | 'scrape' {
  return (['connect', 'announce', 'scrape'] as const)[readU32(sent.packet, 8)]
}

const transactionOf = (sent: SentPacket) => readU32(sent.packet, 12)
const actions = () => platform.udp.sent.map(actionOf)
const last = () => platform.udp.sent[platform.udp.sent.length - 1]

function answer(action: number, transaction: number, rest: string): Uint8Array {
  const body = Uint8Array.from(Buffer.from(rest, 'hex'))
  const packet = new Uint8Array(8 + body.length)
  writeU32(packet, 0, action)
  writeU32(packet, 4, transaction)
  packet.set(body, 8)
  return packet
}

const connected = (sent: SentPacket, id = '0102030405060708') => answer(0, transactionOf(sent), id)
const announced = (sent: SentPacket) => answer(1, transactionOf(sent), '000007080000000200000005' + '010203041ae1')

/** A tracker that answers everything at once. */
function aTracker(from: Endpoint = AT): void {
  platform.udp.onSent = (sent) => {
    if (sent.to.address !== from.address) return
    platform.time.after(1, () => {
      const action = actionOf(sent)
      if (action === 'connect') platform.udp.deliver(connected(sent), from)
      else if (action === 'announce') platform.udp.deliver(announced(sent), from)
      else platform.udp.deliver(answer(2, transactionOf(sent), '000000050000003200000002'), from)
    })
  }
}

describe('an announce to a UDP tracker', () => {
  test('connects, asks with the connection id it was given, and reports the answer', () => {
    aTracker()
    announce()
    platform.time.pass(100)
    expect(actions()).toEqual(['connect', 'announce'])
    expect(toHex(last().packet.subarray(0, 8))).toBe('0102030405060708')
    expect(results).toEqual([
      expect.objectContaining({
        kind: 'reply',
        interval: 1800,
        minInterval: 60,
        incomplete: 2,
        complete: 5,
        peers: [{ address: '1.2.3.4', port: 6881 }],
        trackerAddress: '10.0.0.1',
      }),
    ])
    expect(platform.time.pending).toBe(0)
  })

  test('uses the connection id for a minute, then asks for another', () => {
    aTracker()
    announce()
    platform.time.pass(59_000)
    announce()
    platform.time.pass(500)
    expect(actions()).toEqual(['connect', 'announce', 'announce'])
    platform.time.pass(2000)
    announce()
    platform.time.pass(500)
    expect(actions()).toEqual(['connect', 'announce', 'announce', 'connect', 'announce'])
    expect(results.map(({ kind }) => kind)).toEqual(['reply', 'reply', 'reply'])
  })

  test('BEP 15: sends again after 15, 45, 105... seconds until time is up', () => {
    open({ trackerCompletionTimeout: 7200 })
    announce()
    platform.time.pass(7200_000)
    const first = platform.udp.sent[0].at
    const times = platform.udp.sent.map(({ at }) => at - first)
    const expected = [0]
    for (let n = 0; expected[n] + udpWait(n) < 7200_000; n++) expected.push(expected[n] + udpWait(n))
    expect(times).toEqual(expected)
    expect(expected.slice(0, 4)).toEqual([0, 15_000, 45_000, 105_000])
    expect(new Set(platform.udp.sent.map(transactionOf)).size).toBe(1)
    expect(results).toEqual([
      expect.objectContaining({ kind: 'failure', error: expect.objectContaining({ code: 'timedOut' }) }),
    ])
  })

  test('to a silent tracker fails after the completion timeout, and for `stopped` after the stop timeout', () => {
    announce()
    platform.time.pass(29_999)
    expect(results).toEqual([])
    platform.time.pass(1)
    expect(results).toHaveLength(1)
    announce(URL, { event: 'stopped' })
    platform.time.pass(5000)
    expect(results).toHaveLength(2)
    expect(platform.time.pending).toBe(0)
  })

  test('that lost its answer gets one to the repeated question', () => {
    let packets = 0
    platform.udp.onSent = (sent) => {
      if (++packets === 1) return
      const packet = actionOf(sent) === 'connect' ? connected(sent) : announced(sent)
      platform.time.after(1, () => platform.udp.deliver(packet, AT))
    }
    announce()
    platform.time.pass(15_100)
    expect(results).toEqual([expect.objectContaining({ kind: 'reply' })])
  })

  test('asks for a new connection id when the old one expired while waiting', () => {
    open({ trackerCompletionTimeout: 200, udpTrackerTokenExpiry: 10 })
    platform.udp.onSent = (sent) => {
      if (actionOf(sent) === 'connect') platform.time.after(1, () => platform.udp.deliver(connected(sent), AT))
    }
    announce()
    platform.time.pass(16_000)
    expect(actions()).toEqual(['connect', 'announce', 'connect', 'announce'])
  })

  test('asks for a new connection id when the tracker has forgotten the old one', () => {
    aTracker()
    announce()
    platform.time.pass(100)
    let refused = false
    const willing = platform.udp.onSent
    platform.udp.onSent = (sent) => {
      if (refused || actionOf(sent) !== 'announce') return willing(sent)
      refused = true
      platform.time.after(1, () => platform.udp.deliver(answer(3, transactionOf(sent), '6e6f'), AT))
    }
    announce()
    platform.time.pass(100)
    expect(actions()).toEqual(['connect', 'announce', 'announce', 'connect', 'announce'])
    expect(results.map(({ kind }) => kind)).toEqual(['reply', 'reply'])
  })

  test('that is refused fails with the words of the tracker', () => {
    platform.udp.onSent = (sent) => {
      const refusal = answer(3, transactionOf(sent), Buffer.from('not\x1b[31m here').toString('hex'))
      platform.time.after(1, () => platform.udp.deliver(refusal, AT))
    }
    announce()
    platform.time.pass(100)
    expect(results).toEqual([
      expect.objectContaining({ error: expect.objectContaining({ code: 'trackerFailure' }), message: 'not [31m here' }),
    ])
  })

  test('tries the addresses of a name in turn, also when one cannot be reached or answers nonsense', () => {
    platform.resolver.names.set('t.example', ['2001:db8::1', '10.0.0.2', '10.0.0.1'])
    platform.udp.unbindable.add('::')
    aTracker()
    const willing = platform.udp.onSent
    platform.udp.onSent = (sent) => {
      if (sent.to.address !== '10.0.0.2') return willing(sent)
      const nonsense = answer(0, transactionOf(sent), '00')
      platform.time.after(1, () => platform.udp.deliver(nonsense, { address: '10.0.0.2', port: 1337 }))
    }
    announce('udp://t.example:1337')
    platform.time.pass(100)
    expect(platform.udp.sent.map(({ to }) => to.address)).toEqual(['10.0.0.2', '10.0.0.1', '10.0.0.1'])
    expect(results).toEqual([expect.objectContaining({ kind: 'reply' })])
  })

  test('leaves an address that is silent for the receive timeout while there is another', () => {
    platform.resolver.names.set('t.example', ['10.0.0.2', '10.0.0.1'])
    aTracker()
    announce('udp://t.example:1337')
    platform.time.pass(10_100)
    expect(platform.udp.sent.map(({ to }) => to.address)).toEqual(['10.0.0.2', '10.0.0.1', '10.0.0.1'])
    expect(results).toHaveLength(1)
  })

  test('reaches an IPv6 tracker from an IPv6 socket', () => {
    const at6 = { address: '2001:db8::1', port: 1337 }
    platform.udp.onSent = (sent) => {
      const head = '000007080000000200000005'
      const packet =
        actionOf(sent) === 'connect'
          ? connected(sent)
          : answer(1, transactionOf(sent), `${head}20010db80000000000000000000000091ae1`)
      platform.time.after(1, () => platform.udp.deliver(packet, at6))
    }
    announce('udp://[2001:0DB8:0::0001]:1337')
    platform.time.pass(100)
    expect(results).toEqual([expect.objectContaining({ peers: [{ address: '2001:db8::9', port: 6881 }] })])
  })

  test('fails when its name is unknown', () => {
    announce('udp://nowhere.example:1')
    platform.time.pass(100)
    expect(results).toEqual([expect.objectContaining({ error: expect.objectContaining({ code: 'ENOTFOUND' }) })])
  })

  test('that is cancelled sends nothing more and reports nothing', () => {
    const { cancel } = announce()
    platform.time.pass(100)
    cancel()
    platform.udp.deliver(connected(platform.udp.sent[0]), AT)
    platform.time.pass(100_000)
    expect(actions()).toEqual(['connect'])
    expect(results).toEqual([])
    expect(platform.time.pending).toBe(0)
  })
})

test('all exchanges share one socket, which closing the client closes', () => {
  aTracker()
  for (let i = 0; i < 10; i++) announce()
  platform.time.pass(100)
  expect(results).toHaveLength(10)
  expect(platform.udp.open.size).toBe(1)
  client.close()
  expect(platform.udp.open.size).toBe(0)
})

test('a scrape asks with action 2', () => {
  aTracker()
  client.scrape(request({ url: URL }), (result) => results.push(result))
  platform.time.pass(100)
  expect(actions()).toEqual(['connect', 'scrape'])
  expect(results).toEqual([{ kind: 'scrape', complete: 5, downloaded: 50, incomplete: 2, downloaders: -1 }])
})

test('only families that have a local address are used', () => {
  const v4 = new TrackerClient({
    platform,
    settings: settings(),
    localAddress: (family) => (family === 4 ? '10.9.9.9' : null),
  })
  platform.resolver.names.set('t.example', ['2001:db8::1'])
  v4.announce(request({ url: 'udp://t.example:1' }), (result) => results.push(result))
  platform.time.pass(100)
  expect(platform.udp.sent).toEqual([])
  expect(results).toEqual([expect.objectContaining({ error: expect.objectContaining({ code: 'EAFNOSUPPORT' }) })])
})
