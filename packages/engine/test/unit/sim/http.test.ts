import { describe, expect, test } from 'vitest'
import { SimWorld } from '../../../sim/simWorld.ts'
import { type LibtorrentError, libtorrentError } from '../../../src/errors/libtorrentError.ts'
import type { HttpRequest, HttpResponse } from '../../../src/platform/http.ts'
import { fromUtf8 } from '../../../src/util/bytes.ts'

function scene() {
  const world = new SimWorld()
  const server = world.host('server', { address: '5.5.5.5', latency: 20 })
  const client = world.host('client', { address: '1.0.0.1', latency: 30 })
  world.names.set('example.org', '5.5.5.5', { delay: 40 })
  const { http } = world.platformOf(client)
  const get = (url: string, options: Partial<HttpRequest> = {}) => {
    const seen: { result: HttpResponse | LibtorrentError | null; at: number; cancel: () => void } = {
      result: null,
      at: -1,
      cancel: () => {},
    }
    seen.cancel = http.get(
      { url, completionTimeout: 30_000, receiveTimeout: 10_000, maxBodyBytes: 1_000_000, ...options },
      (result) => {
        seen.result = result
        seen.at = world.time.elapsed
      },
    )
    return seen
  }
  return { world, server, client, get }
}

function body(result: HttpResponse | LibtorrentError | null): string {
  return result !== null && 'body' in result ? fromUtf8(result.body) : `no body: ${result?.message}`
}

function code(result: HttpResponse | LibtorrentError | null): string | number | undefined {
  return result === null ? undefined : 'code' in result ? result.code : result.status
}

describe('HTTP in the simulator', () => {
  test('an exchange takes the name lookup, two round trips and the server its time', () => {
    const { world, server, get } = scene()
    world.web.serve('http://example.org', server, (request) => ({
      body: `${request.path}?${request.query} from ${request.from} with ${request.headers.accept}`,
      delay: 300,
    }))
    const seen = get('http://example.org/a/b?x=%01&y', { headers: { Accept: 'all' } })
    world.run({ seconds: 2 })
    expect(body(seen.result)).toBe('/a/b?x=%01&y from 1.0.0.1 with all')
    expect(seen.at).toBe(40 + 100 + 100 + 300)
    expect(seen.result).toMatchObject({ status: 200, remoteAddress: '5.5.5.5' })
    world.assertNothingLeft()
  })

  test('a body takes the time of the slower line', () => {
    const { world, server, get } = scene()
    server.uplink.bytesPerSecond = 1000
    world.web.serve('http://5.5.5.5', server, () => ({ body: new Uint8Array(5000) }))
    const seen = get('http://5.5.5.5/')
    world.run({ seconds: 10 })
    expect(seen.at).toBe(200 + 5000)
  })

  test('failures have the codes of a real platform', () => {
    const { world, server, get } = scene()
    world.network.blackHole('6.6.6.6')
    world.web.serve('http://example.org', server, (request) => (request.path === '/t' ? 'timeout' : 'reset'))
    const cases = {
      'http://unknown.example/': 'ENOTFOUND',
      'http://5.5.5.5:81/': 'ECONNREFUSED',
      'http://7.7.7.7/': 'EHOSTUNREACH',
      'http://6.6.6.6/': 'timedOut',
      'http://example.org/t': 'timedOut',
      'http://example.org/r': 'ECONNRESET',
      'ftp://example.org/': 'unsupportedUrlProtocol',
      'http://': 'urlParseError',
    }
    const seen = Object.keys(cases).map((url) => get(url))
    world.run({ minutes: 1 })
    expect(seen.map(({ result }) => code(result))).toEqual(Object.values(cases))
    world.assertNothingLeft()
  })

  test('silence ends the exchange after the receive timeout, all together after the completion timeout', () => {
    const { world, server, get } = scene()
    world.web.serve('http://5.5.5.5', server, (request) => ({ delay: Number(request.query) }))
    const slow = get('http://5.5.5.5/?9700')
    const tooSlow = get('http://5.5.5.5/?11000')
    const capped = get('http://5.5.5.5/?9000', { completionTimeout: 5000 })
    world.run({ minutes: 1 })
    expect([code(slow.result), code(tooSlow.result), code(capped.result)]).toEqual([200, 'timedOut', 'timedOut'])
    expect(tooSlow.at).toBe(10_000)
    expect(capped.at).toBe(5000)
  })

  test('redirects are followed, each hop is judged, and loops end', () => {
    const { world, server, client, get } = scene()
    world.web.serve('http://example.org', server, (request) =>
      request.path === '/end'
        ? { body: 'here' }
        : { status: 302, headers: { Location: request.path === '/a' ? '/end' : request.path } },
    )
    world.web.serve('http://evil.example', server, () => ({ status: 301, headers: { location: 'http://127.0.0.1/x' } }))
    world.names.set('evil.example', '5.5.5.5')
    world.web.serve('http://127.0.0.1', client, () => ({ body: 'secret' }))
    const judged: string[] = []
    const checkAddress = (address: string) => {
      judged.push(address)
      return address === '127.0.0.1' ? libtorrentError('bannedByIpFilter') : null
    }
    const followed = get('http://example.org/a')
    const looping = get('http://example.org/loop')
    const inward = get('http://evil.example/', { checkAddress })
    world.run({ minutes: 1 })
    expect(body(followed.result)).toBe('here')
    expect(followed.result).toMatchObject({ finalUrl: 'http://example.org/end' })
    expect(code(looping.result)).toBe(302)
    expect(code(inward.result)).toBe('bannedByIpFilter')
    expect(judged).toEqual(['5.5.5.5', '127.0.0.1'])
  })

  test('too large a body is refused, any status is an answer, and a cancelled exchange is silent', () => {
    const { world, server, get } = scene()
    world.web.serve('http://5.5.5.5', server, () => ({ status: 404, body: 'x'.repeat(100) }))
    const large = get('http://5.5.5.5/', { maxBodyBytes: 99 })
    const found = get('http://5.5.5.5/', { maxBodyBytes: 100 })
    const cancelled = get('http://5.5.5.5/')
    world.run({ ms: 120 })
    cancelled.cancel()
    world.run({ minutes: 1 })
    expect([code(large.result), code(found.result), cancelled.result]).toEqual(['packetTooLarge', 404, null])
    world.assertNothingLeft()
  })
})

describe('names in the simulator', () => {
  test('an answer is remembered for its time to live, a failure is not', () => {
    const { world, client } = scene()
    const { resolver } = world.platformOf(client)
    const answers: unknown[] = []
    const ask = (name: string) => {
      resolver.resolve(name, (result) => answers.push('code' in result ? result.code : result))
      world.run({ seconds: 1 })
    }
    world.names.set('a.example', ['1.1.1.1', '2.2.2.2'], { ttl: 60 })
    ask('a.example')
    ask('a.example')
    expect(world.names.queries('a.example')).toBe(1)
    world.names.set('a.example', '3.3.3.3')
    world.run({ seconds: 60 })
    ask('a.example')
    world.names.fail('b.example')
    ask('b.example')
    world.names.set('b.example', '4.4.4.4')
    ask('b.example')
    ask('[2001:db8::1]')
    expect(answers).toEqual([
      ['1.1.1.1', '2.2.2.2'],
      ['1.1.1.1', '2.2.2.2'],
      ['3.3.3.3'],
      'EAI_AGAIN',
      ['4.4.4.4'],
      ['2001:db8::1'],
    ])
  })

  test('a cancelled lookup is silent', () => {
    const { world, client } = scene()
    world.platformOf(client).resolver.resolve('example.org', () => expect.unreachable())()
    world.run({ seconds: 1 })
    world.assertNothingLeft()
  })
})
