import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { LibtorrentError, libtorrentError } from '../../../src/errors/libtorrentError.ts'
import { NodeHttpStreams } from '../../../src/node/nodeHttpStreams.ts'
import type { HttpStream, HttpStreamClient, HttpStreamRequest } from '../../../src/platform/httpStream.ts'
import type { Resolver } from '../../../src/platform/resolver.ts'
import { authority, forLocalhost, forOtherHost } from '../tracker/certificates.ts'

/** A server that gets each request's text, and does as it likes. `n` counts requests, `connection` connections. */
async function listen(
  serve: (socket: Socket, request: string, n: number, connection: number) => void,
  certificate: typeof forLocalhost | null = null,
): Promise<{ port: number; connections: Socket[]; requests: string[] }> {
  const connections: Socket[] = []
  const requests: string[] = []
  const accept = (socket: Socket) => {
    const number = connections.push(socket)
    let text = ''
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        const request = text.slice(0, end + 4)
        text = text.slice(end + 4)
        serve(socket, request, requests.push(request), number)
      }
    })
  }
  const server: Server = certificate === null ? createTcpServer(accept) : createTlsServer(certificate, accept)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    for (const socket of connections) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return { port: (server.address() as AddressInfo).port, connections, requests }
}

function newClient(maxIdle = 5): HttpStreamClient {
  const client = new NodeHttpStreams().newClient(maxIdle)
  onTestFinished(() => client.close())
  return client
}

interface Got {
  readonly status: number | null
  readonly body: string
  readonly error: LibtorrentError | null
}

interface Options extends Partial<HttpStreamRequest> {
  /** How much of each part is taken; the rest is taken 5 ms later. */
  readonly take?: (bytes: Uint8Array) => number
  readonly onStream?: (stream: HttpStream) => void
}

function get(client: HttpStreamClient, url: string, { take, onStream, ...options }: Options = {}): Promise<Got> {
  return new Promise((resolve) => {
    let status: number | null = null
    let body = ''
    const request = { url, headers: {}, receiveTimeout: 2000, ...options }
    const stream = client.open(request, {
      onResponse: (head) => {
        status = head.status
      },
      onData: (bytes) => {
        const taken = take?.(bytes) ?? bytes.length
        body += Buffer.from(bytes.subarray(0, taken)).toString('latin1')
        if (taken < bytes.length) setTimeout(() => stream.resume(), 5)
        return taken
      },
      onEnd: () => resolve({ status, body, error: null }),
      onError: (error) => resolve({ status, body, error }),
    })
    onStream?.(stream)
  })
}

const answer = (body: string, more = '') => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`
const turn = (milliseconds = 20) => new Promise((resolve) => setTimeout(resolve, milliseconds))

test('one connection serves one request after the other', async () => {
  const server = await listen((socket, _request, n) => socket.write(answer(`body ${n}`)))
  const client = newClient()
  const url = `http://127.0.0.1:${server.port}/a?b`
  expect(await get(client, url, { headers: { range: 'bytes=0-5' } })).toEqual({
    status: 200,
    body: 'body 1',
    error: null,
  })
  expect((await get(client, url)).body).toBe('body 2')
  expect(server.connections).toHaveLength(1)
  const host = `host: 127.0.0.1:${server.port}\r\n`
  expect(server.requests).toEqual([
    `GET /a?b HTTP/1.1\r\n${host}range: bytes=0-5\r\nconnection: keep-alive\r\n\r\n`,
    `GET /a?b HTTP/1.1\r\n${host}connection: keep-alive\r\n\r\n`,
  ])
})

test('what comes behind an answer never becomes the answer to the next request', async () => {
  const server = await listen((socket, _request, n) =>
    socket.write(answer(`body ${n}`) + (n === 1 ? answer('poison') : '')),
  )
  const client = newClient()
  const url = `http://127.0.0.1:${server.port}/`
  expect((await get(client, url)).body).toBe('body 1')
  expect((await get(client, url)).body).toBe('body 2')
  expect(server.connections).toHaveLength(2)
})

test.each([
  ['taken at once', undefined],
  ['taken bit by bit', (bytes: Uint8Array) => Math.ceil(bytes.length / 2)],
])('what comes while nobody asks ends the connection, also when the body before it was %s', async (_, take) => {
  const server = await listen((socket, _request, n) => {
    socket.write(answer(`body ${n}`))
    if (n === 1) setTimeout(() => socket.write(answer('poison')), 60)
  })
  const client = newClient()
  const url = `http://127.0.0.1:${server.port}/`
  expect((await get(client, url, { take })).body).toBe('body 1')
  await turn(120)
  expect(server.connections[0]?.destroyed).toBe(true)
  expect((await get(client, url)).body).toBe('body 2')
  expect(server.connections).toHaveLength(2)
})

test.each([
  ['asks for it', 'Connection: close\r\n'],
  ['ends the body with the connection', null],
])('a server that %s gets a new connection each time', async (_, header) => {
  const server = await listen((socket) => {
    if (header === null) socket.end('HTTP/1.1 200 OK\r\n\r\nbody')
    else socket.write(answer('body', header))
  })
  const client = newClient()
  const url = `http://127.0.0.1:${server.port}/`
  for (let n = 1; n <= 3; n++) {
    expect(await get(client, url)).toEqual({ status: 200, body: 'body', error: null })
    expect(server.connections).toHaveLength(n)
  }
})

test('a request that a used connection did not survive is made once more, on a new one', async () => {
  const server = await listen((socket, _request, n, connection) => {
    // Without an answer, as if the two had met on their way.
    if (n > 1 && connection === 1) socket.destroy()
    else socket.write(answer(`body ${n}`))
  })
  const client = newClient()
  const url = `http://127.0.0.1:${server.port}/`
  expect((await get(client, url)).body).toBe('body 1')
  expect((await get(client, url)).body).toBe('body 3')
})

test('a request that a new connection did not survive has failed', async () => {
  const server = await listen((socket) => socket.destroy())
  const { error } = await get(newClient(), `http://127.0.0.1:${server.port}/`)
  expect(error?.code).toBe('ECONNRESET')
  expect(server.requests).toHaveLength(1)
})

test('half an answer on a used connection has failed, too: it is not asked for again', async () => {
  const server = await listen((socket, _request, n) => (n === 1 ? socket.write(answer('x')) : socket.end('HTTP/1.1 2')))
  const client = newClient()
  const url = `http://127.0.0.1:${server.port}/`
  await get(client, url)
  expect((await get(client, url)).error?.code).toBe('ECONNRESET')
  expect(server.requests).toHaveLength(2)
})

test.each([
  ['a body', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'],
  ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
])('%s that ends early is an error behind what came of it', async (_, text) => {
  const server = await listen((socket) => socket.end(text))
  const got = await get(newClient(), `http://127.0.0.1:${server.port}/`)
  expect([got.status, got.body, got.error?.code]).toEqual([200, 'half', 'ECONNRESET'])
})

test('a body that ends with the connection is complete only when all of it was taken', async () => {
  const server = await listen((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n0123456789'))
  const url = `http://127.0.0.1:${server.port}/`
  expect(await get(newClient(), url, { take: () => 1 })).toEqual({ status: 200, body: '0123456789', error: null })
})

test('a connection refused, a name that does not exist, headers that cannot be sent: errors that say so', async () => {
  const server = await listen(() => {})
  const url = `http://127.0.0.1:${server.port}/`
  const unused = await listen(() => {})
  expect((await get(newClient(), 'http://127.0.0.1:1/')).error).toMatchObject({
    category: 'system',
    code: 'ECONNREFUSED',
  })
  const resolver = resolverOf(unknownName())
  expect((await get(newClient(), 'http://nowhere.invalid/', { resolver })).error?.operation).toBe('hostnameLookup')
  expect((await get(newClient(), url, { headers: { a: 'b\r\nc: d' } })).error?.code).toBe('urlParseError')
  expect([server.requests, unused.connections]).toEqual([[], []])
})

test('every address is judged before it is used, also of a connection that is there', async () => {
  const server = await listen((socket) => socket.write(answer('body')))
  const client = newClient()
  const url = `http://127.0.0.1:${server.port}/`
  const judged: string[] = []
  const judge = (verdict: LibtorrentError | null) => (address: string) => {
    judged.push(address)
    return verdict
  }
  const forbidden = libtorrentError('portBlocked')
  expect((await get(client, url, { checkAddress: judge(forbidden) })).error).toBe(forbidden)
  expect(server.connections).toHaveLength(0)
  expect((await get(client, url, { checkAddress: judge(null) })).body).toBe('body')
  expect((await get(client, url, { checkAddress: judge(forbidden) })).error).toBe(forbidden)
  expect(server.requests).toHaveLength(1)
  expect(new Set(judged)).toEqual(new Set(['127.0.0.1']))
})

test('only so many connections are kept, and none when the client is closed', async () => {
  const server = await listen((socket) => void setTimeout(() => socket.write(answer('body')), 20))
  const client = newClient(2)
  const url = `http://127.0.0.1:${server.port}/`
  await Promise.all([get(client, url), get(client, url), get(client, url)])
  await turn()
  expect(server.connections.filter((socket) => !socket.destroyed)).toHaveLength(2)
  const last = get(client, url)
  client.close()
  expect((await last).body).toBe('body')
  await turn()
  expect(server.connections.every((socket) => socket.destroyed)).toBe(true)
})

test('an exchange that is aborted says nothing more, and its connection is closed', async () => {
  const server = await listen((socket) => socket.write(answer('body')))
  let said = false
  void get(newClient(), `http://127.0.0.1:${server.port}/`, { onStream: (stream) => stream.abort() }).then(() => {
    said = true
  })
  await turn(50)
  expect([said, server.requests]).toEqual([false, []])
})

test('silence before an answer is an error; our own silence within one is not', async () => {
  const body = 'x'.repeat(1_000_000)
  const server = await listen((socket, request) => request.startsWith('GET /quiet') || socket.write(answer(body)))
  const client = newClient()
  const quiet = await get(client, `http://127.0.0.1:${server.port}/quiet`, { receiveTimeout: 100 })
  expect(quiet.error?.code).toBe('timedOut')
  let stream: HttpStream | null = null
  let pauses = 0
  const got = await get(client, `http://127.0.0.1:${server.port}/`, {
    receiveTimeout: 100,
    onStream: (opened) => {
      stream = opened
    },
    take: (bytes) => {
      if (pauses++ > 0) return bytes.length
      setTimeout(() => stream?.resume(), 300)
      return bytes.length - 1
    },
  })
  expect([got.error, got.body.length]).toEqual([null, body.length])
})

test('https: all of it, bit by bit, over one connection, at whichever address of the name there is somebody', async () => {
  const body = Buffer.from(Array.from({ length: 500_000 }, (_, i) => 32 + (i % 90))).toString('latin1')
  const server = await listen((socket) => socket.write(answer(body), 'latin1'), forLocalhost)
  const client = newClient()
  const url = `https://localhost:${server.port}/`
  const resolver = resolverOf(['::1', '127.0.0.1'])
  const options = { validateCertificate: false, resolver }
  for (let n = 0; n < 2; n++) {
    const got = await get(client, url, { ...options, take: (bytes) => Math.ceil(bytes.length * 0.7) })
    expect(got.error).toBeNull()
    expect(got.body === body).toBe(true)
  }
  expect(server.connections).toHaveLength(1)
  const strict = await get(client, url, { resolver })
  expect([strict.error?.category, server.requests.length]).toEqual(['system', 2])
})

test('https: an authority one trusts works for the right name only', async () => {
  const good = await listen((socket) => socket.write(answer('body')), forLocalhost)
  const wrong = await listen((socket) => socket.write(answer('body')), forOtherHost)
  // Which authorities are trusted is fixed when a process starts.
  const directory = mkdtempSync(join(tmpdir(), 'webseed-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  writeFileSync(join(directory, 'ca.pem'), authority)
  const script = `
    import { NodeHttpStreams } from ${JSON.stringify(new URL('../../../src/node/nodeHttpStreams.ts', import.meta.url).href)}
    for (const url of process.argv.slice(1)) {
      const client = new NodeHttpStreams().newClient(1)
      await new Promise((resolve) => client.open({ url, headers: {}, receiveTimeout: 2000 }, {
        onResponse: ({ status }) => console.log(status),
        onData: ({ length }) => length,
        onEnd: resolve,
        onError: ({ code }) => resolve(console.log(code)),
      }))
      client.close()
    }`
  const urls = [`localhost:${good.port}`, `localhost:${wrong.port}`, `127.0.0.1:${good.port}`].map(
    (at) => `https://${at}/`,
  )
  const args = ['--import', 'tsx', '--input-type=module', '-e', script, ...urls]
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: join(directory, 'ca.pem') }
  const { stdout } = await promisify(execFile)(process.execPath, args, { env })
  expect(stdout.split('\n')).toEqual(['200', 'ERR_TLS_CERT_ALTNAME_INVALID', 'ERR_TLS_CERT_ALTNAME_INVALID', ''])
})

function resolverOf(result: readonly string[] | LibtorrentError): Resolver {
  return {
    resolve: (_, done) => {
      done(result)
      return () => {}
    },
  }
}

function unknownName(): LibtorrentError {
  return new LibtorrentError({ code: 'ENOTFOUND', value: 0, category: 'system' }, 'no such name', {
    operation: 'hostnameLookup',
  })
}
