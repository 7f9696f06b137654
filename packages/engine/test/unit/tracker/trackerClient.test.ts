import { beforeEach, describe, expect, test } from 'vitest'
import type { Endpoint } from '../../../src/address/endpoint.ts'
import { libtorrentError, systemError } from '../../../src/errors/libtorrentError.ts'
import { TrackerClient } from '../../../src/tracker/trackerClient.ts'
import type { AnnounceReply, ScrapeReply, TrackerFailure } from '../../../src/tracker/trackerRequest.ts'
import type { TrackerSettings } from '../../../src/tracker/trackerSettings.ts'
import { fakePlatform, httpOk, settings } from './fakes.ts'
import { request } from './requests.ts'

let platform: ReturnType<typeof fakePlatform>
let client: TrackerClient
let results: (AnnounceReply | ScrapeReply | TrackerFailure)[]

beforeEach(() => open())

function open(changes: Partial<TrackerSettings> = {}): void {
  platform = fakePlatform()
  client = new TrackerClient({ platform, settings: settings(changes) })
  results = []
}

const announce = (url: string, changes = {}) =>
  client.announce(request({ url, ...changes }), (result) => results.push(result))

const codes = () => results.map((result) => (result.kind === 'failure' ? result.error.code : result.kind))

describe('an announce to an HTTP tracker', () => {
  test('is one GET with the limits of the settings, and its answer is reported', () => {
    announce('https://me:pw@t.example/announce')
    const { request: get } = platform.http.next()
    expect(get).toMatchObject({
      completionTimeout: 30_000,
      receiveTimeout: 10_000,
      maxBodyBytes: 1024 * 1024,
      validateCertificate: true,
      localAddress: undefined,
    })
    expect(get.url).toMatch(/^https:\/\/t\.example\/announce\?info_hash=/)
    expect(get.headers).toEqual({ 'user-agent': 'libtorrent-ts/test', authorization: 'Basic bWU6cHc=' })
    platform.http.next().answer(httpOk('d8:intervali60ee'))
    expect(results).toEqual([expect.objectContaining({ kind: 'reply', interval: 60, trackerAddress: '9.9.9.9' })])
  })

  test('of `stopped` has the time of the stop timeout', () => {
    announce('http://t/announce', { event: 'stopped' })
    expect(platform.http.next().request.completionTimeout).toBe(5000)
  })

  test('that is answered with another status fails with it, the words in its body and its wish for a pause', () => {
    announce('http://t/announce')
    platform.http.next().answer({
      ...httpOk('d14:failure reason8:too muche', 503),
      headers: { 'retry-after': '120' },
    })
    expect(results).toEqual([
      {
        kind: 'failure',
        error: expect.objectContaining({ category: 'http', value: 503 }),
        message: 'too much',
        retryIn: 120,
        permanent: false,
      },
    ])
  })

  test('that is gone is not to be tried again', () => {
    announce('http://t/announce')
    platform.http.next().answer(httpOk('', 410))
    expect(results).toEqual([expect.objectContaining({ permanent: true })])
  })

  test('whose connection fails, fails', () => {
    announce('http://t/announce')
    platform.http.next().answer(libtorrentError('timedOut'))
    expect(codes()).toEqual(['timedOut'])
  })

  test('goes out from a specific local address', () => {
    const bound = new TrackerClient({
      platform,
      settings: settings(),
      localAddress: (family) => (family === 4 ? '10.1.1.1' : '::'),
    })
    bound.announce(request(), () => {})
    expect(platform.http.next().request.localAddress).toBe('10.1.1.1')
  })
})

describe('an announce for a listen socket', () => {
  const V4 = { address: '0.0.0.0', port: 6881 }
  const V6 = { address: '::', port: 6881 }
  const addresses = new Map([
    ['four.example', ['9.9.9.9']],
    ['both.example', ['9.9.9.9', '2001:db8::9']],
    ['home.example', ['::1']],
  ])
  beforeEach(() => {
    Object.assign(platform.resolver, { known: (host: string) => addresses.get(host) ?? null })
  })
  const from = (localEndpoint: Endpoint, host: string) => announce(`http://${host}/announce`, { localEndpoint })
  const noRoute = systemError({ code: 'ENETUNREACH', message: 'network is unreachable' })

  test.each([
    [V4, { localAddress: undefined, family: 4 }],
    [V6, { localAddress: undefined, family: 6 }],
    [
      { address: '10.1.1.1', port: 7 },
      { localAddress: '10.1.1.1', family: 4 },
    ],
    [
      { address: '2001:db8::7', port: 7 },
      { localAddress: '2001:db8::7', family: 6 },
    ],
  ])('at %j goes out by %j', (local, way) => {
    from(local, 'unknown.example')
    expect(platform.http.next().request).toMatchObject(way)
  })

  test('is not begun when the tracker is known to have no address of its family', () => {
    from(V6, 'four.example')
    platform.time.pass(1)
    expect(codes()).toEqual(['EAFNOSUPPORT'])
    expect(platform.http.gets).toEqual([])
    from(V4, 'four.example')
    expect(platform.http.gets.length).toBe(1)
  })

  test('is not begun just after another found no way out, unless it stays at home', () => {
    from(V6, 'both.example')
    platform.http.next().answer(noRoute)
    from(V6, 'both.example')
    platform.time.pass(1)
    expect(codes()).toEqual(['ENETUNREACH', 'ENETUNREACH'])
    expect(platform.http.gets.length).toBe(1)
    from(V6, 'home.example')
    from(V4, 'both.example')
    expect(platform.http.gets.length).toBe(3)
    // A tracker that failed is tried again after 17 seconds at the earliest.
    platform.time.pass(17_000)
    from(V6, 'both.example')
    expect(platform.http.gets.length).toBe(4)
  })

  test('that changes lets all be tried again', () => {
    from(V6, 'both.example')
    platform.http.next().answer(noRoute)
    client.onNetworkChanged()
    from(V6, 'both.example')
    expect(platform.http.gets.length).toBe(2)
  })

  test('tells when it is about to be sent: not before there is an address that may be spoken to', () => {
    const told: string[] = []
    const say = () => told.push('sending')
    const done = () => told.push('done')
    client.announce(request({ url: 'http://both.example/announce', localEndpoint: V4 }), done, say)
    const { checkAddress } = platform.http.next().request
    checkAddress?.('127.0.0.1', 'http://both.example/rpc')
    expect(told).toEqual([])
    checkAddress?.('9.9.9.9', 'http://both.example/announce')
    expect(told).toEqual(['sending'])

    platform.resolver.names.set('four.example', ['9.9.9.9'])
    platform.resolver.names.set('unknown.example', ['8.8.8.8'])
    client.announce(request({ url: 'udp://four.example:1', localEndpoint: V6 }), done, say)
    client.announce(request({ url: 'udp://unknown.example:1', localEndpoint: V6 }), done, say)
    platform.time.pass(10)
    expect(told).toEqual(['sending', 'done', 'done'])
    client.announce(request({ url: 'udp://unknown.example:1', localEndpoint: V4 }), done, say)
    platform.time.pass(10)
    expect(told).toEqual(['sending', 'done', 'done', 'sending'])
  })
})

describe('of the addresses to speak from', () => {
  test('if there is none, nothing is asked of anybody', () => {
    const lost = new TrackerClient({ platform, settings: settings(), localAddress: () => null })
    for (const url of ['http://t/announce', 'udp://9.9.9.9:1']) {
      lost.scrape(request({ url }), (result) => results.push(result))
    }
    platform.time.pass(10)
    expect(codes()).toEqual(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])
    expect([platform.http.gets, platform.udp.sent]).toEqual([[], []])
  })

  test.each([
    [null, '::', { localAddress: undefined, family: 6 }],
    ['0.0.0.0', null, { localAddress: undefined, family: 4 }],
    [null, '2001:db8::7', { localAddress: '2001:db8::7', family: 6 }],
    ['0.0.0.0', '2001:db8::7', { localAddress: '2001:db8::7', family: 6 }],
    ['0.0.0.0', '::', { localAddress: undefined, family: undefined }],
  ])('%j for IPv4 and %j for IPv6 a request that names no listen socket goes out by %j', (v4, v6, way) => {
    const bound = new TrackerClient({
      platform,
      settings: settings(),
      localAddress: (family) => (family === 4 ? v4 : v6),
    })
    bound.scrape(request(), () => {})
    expect(platform.http.next().request).toMatchObject(way)
  })
})

describe('a tracker that is refused before anything is sent', () => {
  test.each([
    ['ws://t/announce', 'unsupportedUrlProtocol'],
    ['http://xn--bcher-kva.example/announce', 'blockedByIdna'],
    ['udp://bücher.example:1/announce', 'blockedByIdna'],
    ['http://t/announce?info_hash=x', 'ssrfMitigation'],
    ['http://t/\r\nannounce', 'urlParseError'],
  ])('%j fails, later, with %s', (url, code) => {
    announce(url)
    expect(results).toEqual([])
    platform.time.pass(1)
    expect(codes()).toEqual([code])
    expect(platform.http.gets).toEqual([])
  })

  test('is allowed by the settings for it', () => {
    open({ allowIdna: true, ssrfMitigation: false })
    announce('http://bücher.example/announce')
    announce('http://t/announce?info_hash=x')
    expect(platform.http.gets.map(({ request: get }) => get.url.slice(0, 40))).toEqual([
      'http://xn--bcher-kva.example/announce?in',
      'http://t/announce?info_hash=x&info_hash=',
    ])
  })
})

describe('many HTTP announces', () => {
  test('run `max_concurrent_http_announces` at a time; one that a person asked for goes first', () => {
    open({ maxConcurrentHttpAnnounces: 2 })
    for (const name of ['a', 'b', 'c']) announce(`http://${name}/announce`)
    announce('http://urgent/announce', { highPriority: true })
    expect([client.activeHttpAnnounces, client.queuedHttpAnnounces]).toEqual([2, 2])
    platform.http.next().answer(httpOk('de'))
    platform.http.next().answer(httpOk('de'))
    expect(platform.http.gets.map(({ request: get }) => new URL(get.url).host)).toEqual(['a', 'b', 'urgent', 'c'])
  })

  test('of `stopped` wait no longer for their turn than the stop timeout', () => {
    open({ maxConcurrentHttpAnnounces: 1 })
    for (const name of ['a', 'b', 'c']) announce(`http://${name}/announce`, { event: 'stopped' })
    platform.time.pass(4999)
    expect(results).toEqual([])
    platform.time.pass(1)
    expect(codes()).toEqual(['timedOut', 'timedOut', 'timedOut'])
    expect(platform.http.open.size).toBe(0)
    expect([client.activeHttpAnnounces, client.queuedHttpAnnounces]).toEqual([0, 0])
  })

  test('are all cancelled by closing the client', () => {
    open({ maxConcurrentHttpAnnounces: 1 })
    announce('http://a/announce')
    announce('http://b/announce')
    announce('ws://c/')
    announce('udp://10.0.0.1:1')
    client.close()
    platform.time.pass(100_000)
    expect(platform.http.open.size).toBe(0)
    expect(platform.http.gets).toHaveLength(1)
    expect(platform.time.pending).toBe(0)
    expect(results).toEqual([])
  })
})

describe('a scrape', () => {
  const scrape = (url: string) => client.scrape(request({ url }), (result) => results.push(result))

  test('of an HTTP tracker asks its scrape URL', () => {
    scrape('http://t/announce')
    expect(platform.http.next().request.url).toMatch(/^http:\/\/t\/scrape\?info_hash=/)
    const entry = 'd8:completei5e10:incompletei2ee'
    const hash = Buffer.from(request().infoHash).toString('latin1')
    platform.http.next().answer(httpOk(`d5:filesd20:${hash}${entry}ee`))
    expect(results).toEqual([expect.objectContaining({ kind: 'scrape', complete: 5, incomplete: 2 })])
  })

  test('of a tracker without one fails and leaves its turn to others', () => {
    open({ maxConcurrentHttpAnnounces: 1 })
    scrape('http://t/tracker.php')
    announce('http://next/announce')
    platform.time.pass(1)
    expect(codes()).toEqual(['scrapeNotAvailable'])
    expect(platform.http.open.size).toBe(1)
  })
})

test("a peer's name is resolved to its addresses, to none when it is unknown", () => {
  platform.resolver.names.set('peer.example', ['1.1.1.1', '2.2.2.2'])
  const found: (readonly string[])[] = []
  client.resolvePeer('peer.example', (addresses) => found.push(addresses))
  client.resolvePeer('nobody.example', (addresses) => found.push(addresses))
  platform.time.pass(10)
  expect(found).toEqual([['1.1.1.1', '2.2.2.2'], []])
})
