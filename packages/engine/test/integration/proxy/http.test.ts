import net from 'node:net'
import { describe, expect, test } from 'vitest'
import { NodeHttpStreams } from '../../../src/node/nodeHttpStreams.ts'
import type { HttpStreamRequest } from '../../../src/platform/httpStream.ts'
import type { Resolver } from '../../../src/platform/resolver.ts'
import { forLocalhost } from '../tracker/certificates.ts'
import { get, outcome, response, textOf } from '../tracker/get.ts'
import { afterThisTest, httpServer, httpsServer } from '../tracker/servers.ts'
import { realProxy, routeTo } from './proxies.ts'

const KINDS = ['socks4', 'socks5', 'http'] as const

/** Names must not be asked for. */
const nobody: Resolver = {
  resolve(host, done) {
    if (host === '127.0.0.1') setImmediate(done, [host])
    else throw new Error(`${host} was looked up`)
    return () => {}
  },
}

describe.each(KINDS)('an exchange through a %s proxy', (kind) => {
  test('goes through it, the name included', async () => {
    const { proxy, port } = await realProxy({ kind })
    const server = await httpServer((request, answer) => answer.end(`${request.url} ${request.headers.host}`))
    const url = `http://tracker.example:${server}/announce?a=%00`
    const result = await response(url, { proxy: routeTo(kind, port), resolver: nobody })
    expect(textOf(result)).toBe(`/announce?a=%00 tracker.example:${server}`)
    expect(result.remoteAddress).toBe('tracker.example')
    expect(proxy.targets).toEqual([`tracker.example:${server}`])
  })

  test('with names looked up here, the proxy is told the address, which is judged before', async () => {
    const { proxy, port } = await realProxy({ kind })
    const server = await httpServer((_, answer) => answer.end('here'))
    const own: Resolver = {
      resolve(_, done) {
        setImmediate(done, ['127.0.0.1'])
        return () => {}
      },
    }
    const route = routeTo(kind, port, { resolvesNames: false })
    const judged: string[] = []
    const checkAddress = (address: string) => {
      judged.push(address)
      return null
    }
    const options = { proxy: route, resolver: own, checkAddress }
    expect(textOf(await response(`http://tracker.example:${server}/`, options))).toBe('here')
    if (kind === 'http') return
    expect([proxy.targets, judged]).toEqual([[`127.0.0.1:${server}`], ['127.0.0.1']])
  })

  test('https is a tunnel, its certificate is that of the server', async () => {
    const { proxy, port } = await realProxy({ kind })
    const server = await httpsServer(forLocalhost, (_, answer) => answer.end('secret'))
    const url = `https://localhost:${server}/`
    const options = { proxy: routeTo(kind, port), resolver: nobody }
    expect(await outcome(url, options)).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
    expect(textOf(await response(url, { ...options, validateCertificate: false }))).toBe('secret')
    expect(proxy.targets).toEqual([`localhost:${server}`, `localhost:${server}`])
  })

  test('redirects go through it, too', async () => {
    const { proxy, port } = await realProxy({ kind })
    const second = await httpServer((_, answer) => answer.end('there'))
    const first = await httpServer((_, answer) => {
      answer.writeHead(302, { Location: `http://tracker.example:${second}/` }).end()
    })
    const options = { proxy: routeTo(kind, port), resolver: nobody }
    expect(textOf(await response(`http://tracker.example:${first}/`, options))).toBe('there')
    expect(proxy.targets).toEqual([`tracker.example:${first}`, `tracker.example:${second}`])
  })

  test('a stream keeps its connection for the next, and another proxy has another', async () => {
    const { proxy, port } = await realProxy({ kind })
    const other = await realProxy({ kind })
    const server = await httpServer((request, answer) => answer.end(String(request.socket.remotePort)))
    const client = new NodeHttpStreams().newClient(2)
    afterThisTest(() => client.close())
    const ask = (through: number) =>
      textOfStream(client, { url: `http://tracker.example:${server}/`, proxy: routeTo(kind, through) })
    const ports = [await ask(port), await ask(port), await ask(other.port)]
    expect(ports[1]).toBe(ports[0])
    expect(ports[2]).not.toBe(ports[0])
    expect([proxy.targets.length, other.proxy.targets.length]).toEqual([1, 1])
  })

  test('a proxy that is not there, and one that never answers: the request fails, and goes nowhere else', async () => {
    let visits = 0
    const server = await httpServer((_, answer) => {
      visits++
      answer.end()
    })
    const silent = await new Promise<number>((resolve) => {
      const listener = net
        .createServer(() => {})
        .listen(0, '127.0.0.1', () => {
          afterThisTest(() => void listener.close())
          resolve((listener.address() as net.AddressInfo).port)
        })
    })
    const url = `http://127.0.0.1:${server}/`
    expect(await outcome(url, { proxy: routeTo(kind, 1) })).toBe('ECONNREFUSED')
    expect(await outcome(url, { proxy: routeTo(kind, 0) })).toBe('invalidHostname')
    expect(await outcome(url, { proxy: routeTo(kind, silent), receiveTimeout: 200 })).toBe('timedOut')
    expect(await outcome(url, { proxy: routeTo(kind, silent), completionTimeout: 200 })).toBe('timedOut')
    expect(visits).toBe(0)
  })

  test('a proxy that is not there is named by the error', async () => {
    const failure = await get('http://127.0.0.1:1/announce', { proxy: routeTo(kind, 1) })
    expect(failure).toMatchObject({ code: 'ECONNREFUSED', operation: 'proxy' })
    expect(failure).toHaveProperty('message', expect.stringMatching(/^proxy 127\.0\.0\.1:1: /))
  })

  test('a server that the proxy cannot reach', async () => {
    const { port } = await realProxy({ kind })
    const code = await outcome('http://127.0.0.1:1/', { proxy: routeTo(kind, port) })
    expect(code).toBe({ socks4: 'generalFailure', socks5: 'ECONNREFUSED', http: 'status 502' }[kind])
  })
})

test('with a login, and a wrong one', async () => {
  const server = await httpServer((_, answer) => answer.end('in'))
  for (const kind of ['socks5', 'http'] as const) {
    const { port } = await realProxy({ kind, login: 'al:pw' })
    const url = `http://127.0.0.1:${server}/`
    const login = (password: string) => routeTo(kind, port, { login: { username: 'al', password } })
    // The proxy of the tests serves plain requests to everybody, or to nobody.
    if (kind === 'socks5') expect(textOf(await response(url, { proxy: login('pw') }))).toBe('in')
    const refused = await get(url, { proxy: login('no') })
    expect('code' in refused ? refused.code : refused.status).toBe(kind === 'socks5' ? 'authenticationError' : 400)
  }
})

function textOfStream(
  client: ReturnType<NodeHttpStreams['newClient']>,
  request: Pick<HttpStreamRequest, 'url' | 'proxy'>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    client.open(
      { ...request, headers: {}, receiveTimeout: 3000, resolver: nobody },
      {
        onResponse: () => {},
        onData: (chunk) => {
          text += Buffer.from(chunk).toString()
          return chunk.length
        },
        onEnd: () => resolve(text),
        onError: reject,
      },
    )
  })
}
