import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { systemError } from '../../../src/errors/libtorrentError.ts'
import { NodeHttp } from '../../../src/node/nodeHttp.ts'
import type { Resolver } from '../../../src/platform/resolver.ts'
import { authority, expired, forLocalhost, forOtherHost } from './certificates.ts'
import { get, outcome, response, textOf } from './get.ts'
import { afterThisTest, httpServer, httpsServer } from './servers.ts'

describe('a GET', () => {
  test('sends path, query and headers as they are, and brings status, headers, body and where it came from', async () => {
    const port = await httpServer((request, answer) => {
      answer.writeHead(404, { 'X-Tracker': 'yes', 'Set-Cookie': ['a=1', 'b=2'] })
      answer.end(JSON.stringify([request.method, request.url, request.headers.host, request.headers['user-agent']]))
    })
    const url = `http://127.0.0.1:${port}/a?info_hash=%00%ff~('x)&b`
    const result = await response(url, { headers: { 'User-Agent': 'me' } })
    expect(JSON.parse(textOf(result))).toEqual(['GET', '/a?info_hash=%00%ff~(%27x)&b', `127.0.0.1:${port}`, 'me'])
    expect(result).toMatchObject({ status: 404, remoteAddress: '127.0.0.1', finalUrl: url.replace("'", '%27') })
    expect(result.headers).toMatchObject({ 'x-tracker': 'yes', 'set-cookie': 'a=1, b=2' })
  })

  test.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['identity', (body: string) => Buffer.from(body)],
  ])('with encoding %s is decoded', async (encoding, encode) => {
    const port = await httpServer((_, answer) => {
      answer.writeHead(200, { 'Content-Encoding': encoding }).end(encode('hello '.repeat(1000)))
    })
    expect(textOf(await response(`http://127.0.0.1:${port}/`))).toBe('hello '.repeat(1000))
  })

  test('reaches IPv6 and names', async () => {
    const port = await httpServer((_, answer) => answer.end('six'), '::1')
    expect((await response(`http://[::1]:${port}/`)).remoteAddress).toBe('::1')
    const port4 = await httpServer((_, answer) => answer.end('four'))
    expect(textOf(await response(`http://localhost:${port4}/`))).toBe('four')
  })

  test('goes out from the local address asked for', async () => {
    const port = await httpServer((request, answer) => answer.end(request.socket.remoteAddress))
    expect(textOf(await response(`http://127.0.0.1:${port}/`, { localAddress: '127.0.0.9' }))).toBe('127.0.0.9')
    expect(textOf(await response(`http://localhost:${port}/`, { localAddress: '127.0.0.9' }))).toBe('127.0.0.9')
  })

  test('connects to one family only, if asked to', async () => {
    const four = await httpServer((_, answer) => answer.end('four'))
    const six = await httpServer((_, answer) => answer.end('six'), '::1')
    const resolver = (...addresses: string[]): Resolver => ({
      resolve(_, done) {
        setImmediate(done, addresses)
        return () => {}
      },
    })
    const both = resolver('::1', '127.0.0.1')
    expect(textOf(await response(`http://t.invalid:${four}/`, { resolver: both, family: 4 }))).toBe('four')
    expect(textOf(await response(`http://t.invalid:${six}/`, { resolver: both, family: 6 }))).toBe('six')
    for (const [url, family] of [
      [`http://127.0.0.1:${four}/`, 6],
      [`http://[::1]:${six}/`, 4],
      [`http://t.invalid:${four}/`, 6],
    ] as const) {
      expect(await outcome(url, { family, resolver: resolver('127.0.0.1') })).toBe('EAFNOSUPPORT')
    }
  })

  test('looks names up with the resolver it is given', async () => {
    const port = await httpServer((_, answer) => answer.end('here'))
    const asked: string[] = []
    const resolver: Resolver = {
      resolve(host, done) {
        asked.push(host)
        setImmediate(done, host === 'tracker.invalid' ? ['127.0.0.1'] : systemError({ code: 'EAI_AGAIN' }))
        return () => {}
      },
    }
    expect(textOf(await response(`http://tracker.invalid:${port}/`, { resolver }))).toBe('here')
    expect(await outcome(`http://other.invalid:${port}/`, { resolver })).toBe('EAI_AGAIN')
    expect(asked).toEqual(['tracker.invalid', 'other.invalid'])
  })

  test('that finds nobody fails with the system error', async () => {
    const server = net.createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as net.AddressInfo
    await new Promise((resolve) => server.close(resolve))
    expect(await outcome(`http://127.0.0.1:${port}/`)).toBe('ECONNREFUSED')
  })

  test('that is cancelled closes the connection and calls nobody', async () => {
    let arrived = () => {}
    let left = () => {}
    const asked = new Promise<void>((resolve) => {
      arrived = resolve
    })
    const gone = new Promise<void>((resolve) => {
      left = resolve
    })
    const port = await httpServer((request) => {
      request.socket.on('close', () => left())
      arrived()
    })
    const limits = { completionTimeout: 5000, receiveTimeout: 5000, maxBodyBytes: 1000 }
    const cancel = new NodeHttp().get({ url: `http://127.0.0.1:${port}/`, ...limits }, () => expect.unreachable())
    await asked
    cancel()
    cancel()
    await gone
  })

  test('uses a connection of its own each time', async () => {
    const ports = new Set<number | undefined>()
    const port = await httpServer((request, answer) => {
      ports.add(request.socket.remotePort)
      answer.end()
    })
    for (let i = 0; i < 3; i++) await response(`http://127.0.0.1:${port}/`)
    expect(ports.size).toBe(3)
  })

  test('with credentials in its URL sends them as a header and shows them nowhere', async () => {
    const port = await httpServer((request, answer) => answer.end(request.headers.authorization))
    const result = await response(`http://me:pa%20ss@127.0.0.1:${port}/`)
    expect(textOf(result)).toBe(`Basic ${Buffer.from('me:pa ss').toString('base64')}`)
    expect(result.finalUrl).toBe(`http://127.0.0.1:${port}/`)
  })
})

describe('a redirect', () => {
  test.each([301, 302, 303, 307, 308])('with status %d is followed, also by a relative URL', async (status) => {
    const port = await httpServer((request, answer) => {
      if (request.url === '/a/b') answer.writeHead(status, { location: '../c?d' }).end('moved')
      else answer.end(request.url)
    })
    const result = await response(`http://127.0.0.1:${port}/a/b`)
    expect(textOf(result)).toBe('/c?d')
    expect(result.finalUrl).toBe(`http://127.0.0.1:${port}/c?d`)
  })

  test('to another host leaves the credentials behind, for good', async () => {
    const seen: unknown[] = []
    let first = 0
    const second = await httpServer((request, answer) => {
      seen.push(request.headers.authorization)
      answer.writeHead(302, { location: `http://127.0.0.1:${first}/end` }).end()
    })
    first = await httpServer((request, answer) => {
      seen.push(request.headers.authorization)
      if (request.url === '/') answer.writeHead(302, { location: '/same' }).end()
      else if (request.url === '/same') answer.writeHead(302, { location: `http://x:y@127.0.0.1:${second}/` }).end()
      else answer.end()
    })
    await response(`http://127.0.0.1:${first}/`, { headers: { Authorization: 'Basic abc' } })
    expect(seen).toEqual(['Basic abc', 'Basic abc', undefined, undefined])
  })
})

describe('HTTPS', () => {
  test('with a certificate that nobody vouches for fails, unless it is not to be checked', async () => {
    const port = await httpsServer(forLocalhost, (_, answer) => answer.end('secure'))
    const url = `https://localhost:${port}/`
    expect(await outcome(url)).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
    expect(textOf(await response(url, { validateCertificate: false }))).toBe('secure')
  })

  test('with an authority one trusts works for the right name only, and not for ever', async () => {
    const answer = (_: unknown, out: { end(text: string): void }) => out.end('secure')
    const good = await httpsServer(forLocalhost, answer)
    const wrong = await httpsServer(forOtherHost, answer)
    const old = await httpsServer(expired, answer)
    // Which authorities are trusted is fixed when a process starts.
    const directory = mkdtempSync(join(tmpdir(), 'tracker-'))
    afterThisTest(() => rmSync(directory, { recursive: true }))
    writeFileSync(join(directory, 'ca.pem'), authority)
    const script = `
      import { outcome } from ${JSON.stringify(new URL('./get.ts', import.meta.url).href)}
      for (const port of process.argv.slice(1)) console.log(await outcome('https://localhost:' + port + '/'))`
    const child = await run(script, [good, wrong, old], { NODE_EXTRA_CA_CERTS: join(directory, 'ca.pem') })
    expect(child.split('\n')).toEqual(['status 200', 'ERR_TLS_CERT_ALTNAME_INVALID', 'CERT_HAS_EXPIRED', ''])
  })
})

test('a server that says nothing in time is given up, before as well as during its answer', async () => {
  const silent = await httpServer(() => {})
  expect(await outcome(`http://127.0.0.1:${silent}/`, { receiveTimeout: 30 })).toBe('timedOut')
  const stuck = await httpServer((_, answer) => answer.write('half'))
  expect(await outcome(`http://127.0.0.1:${stuck}/`, { receiveTimeout: 30 })).toBe('timedOut')
})

test('nothing that is wrong with a request is thrown', async () => {
  expect(await outcome('nonsense')).toBe('urlParseError')
  expect(await outcome('ftp://127.0.0.1/')).toBe('unsupportedUrlProtocol')
  expect(await outcome('http://127.0.0.1:1/', { headers: { a: 'b\r\nc: d' } })).toBe('ERR_INVALID_CHAR')
  expect(await get('http://127.0.0.1:1/', { localAddress: 'nonsense' })).toBeInstanceOf(Error)
})

/** What a script in a process of its own prints. */
function run(script: string, args: readonly number[], env: Record<string, string>): Promise<string> {
  const node = ['--import', 'tsx', '--input-type=module', '-e', script, ...args.map(String)]
  return new Promise((resolve, reject) => {
    execFile(process.execPath, node, { env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      if (error) reject(new Error(stderr))
      else resolve(stdout)
    })
  })
}
