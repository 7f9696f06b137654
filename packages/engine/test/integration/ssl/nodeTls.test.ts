import { once } from 'node:events'
import net from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import { NodeTcp } from '../../../src/node/nodeTcp.ts'
import { NodeTls } from '../../../src/node/nodeTls.ts'
import { SocketType } from '../../../src/platform/socketType.ts'
import type { Stream, StreamHandler, TcpListener } from '../../../src/platform/tcp.ts'
import type { TlsContext } from '../../../src/platform/tls.ts'
import { Authority } from './authority.ts'
import { poll } from './sslSessions.ts'

const tcp = new NodeTcp()
const tls = new NodeTls()
const SIZE = 3_000_000

/** Keeps what it hears. */
class Listener implements StreamHandler {
  readonly received: Uint8Array[] = []
  isConnected = false
  /** Undefined while it is open. */
  closed: LibtorrentError | null | undefined = undefined
  onConnected(): void {
    this.isConnected = true
  }
  onData(chunk: Uint8Array): void {
    expect(this.isConnected).toBe(true)
    this.received.push(chunk.slice())
  }
  onDrain(): void {}
  onClosed(error: LibtorrentError | null): void {
    this.closed = error
  }
  get size(): number {
    return this.received.reduce((sum, { length }) => sum + length, 0)
  }
}

/** A stream as a proxy or uTP would give it: nothing that Node knows. */
function foreign(stream: Stream, socketType: SocketType): Stream {
  return {
    socketType,
    remote: stream.remote,
    get local() {
      return stream.local
    },
    get unsentBytes() {
      return stream.unsentBytes
    },
    setHandler: (handler) => stream.setHandler(handler),
    write: (bytes, onSent) => stream.write(bytes, onSent),
    cork: () => stream.cork(),
    uncork: () => stream.uncork(),
    pauseReading: () => stream.pauseReading(),
    resumeReading: () => stream.resumeReading(),
    end: () => stream.end(),
    destroy: () => stream.destroy(),
  }
}

function contextOf(authority: Authority): TlsContext {
  const { certificate, privateKey } = authority.issue()
  const context = tls.newContext(authority.rootCert, { certificate, privateKey, dhParams: '', passphrase: '' })
  if (context instanceof LibtorrentError) throw context
  return context
}

function listen(onAccept: (stream: Stream) => void): Promise<TcpListener> {
  return new Promise((resolve, reject) => {
    tcp.listen({ address: '127.0.0.1', port: 0 }, onAccept, (result) => {
      if (result instanceof LibtorrentError) return reject(result)
      onTestFinished(() => result.close())
      resolve(result)
    })
  })
}

test.each([
  ['sockets of Node', (stream: Stream) => stream, SocketType.tcpSsl],
  ['a proxy', (stream: Stream) => foreign(stream, SocketType.socks5), SocketType.socks5Ssl],
  ['uTP', (stream: Stream) => foreign(stream, SocketType.utp), SocketType.utpSsl],
] as const)(
  'TLS over %s carries megabytes both ways, and ends with the connection',
  async (_, carried, socketType) => {
    const authority = new Authority()
    const [ours, theirs] = [new Listener(), new Listener()]
    const [context, serverContext] = [contextOf(authority), contextOf(authority)]
    const asked: string[] = []
    let server: Stream | null = null
    const listener = await listen((stream) => {
      server = tls.accept(carried(stream), {
        contextFor: (name) => {
          asked.push(name)
          return serverContext
        },
        verify: () => true,
      })
      server.setHandler(theirs)
    })
    const idle: StreamHandler = { onConnected() {}, onData() {}, onDrain() {}, onClosed() {} }
    const below = carried(tcp.connect(listener.local, {}, idle))
    const client = tls.connect(below, { context, serverName: 'torrent', verify: () => true }, ours)
    onTestFinished(() => client.destroy())
    await poll(() => ours.isConnected && theirs.isConnected).toBe(true)
    expect(asked).toEqual(['torrent'])
    expect([client.socketType, (server as Stream | null)?.socketType]).toEqual([socketType, socketType])
    expect(client.local?.address).toBe('127.0.0.1')

    const bytes = Uint8Array.from({ length: SIZE }, (_each, i) => i % 251)
    let sent = 0
    client.write(bytes, () => sent++)
    ;(server as unknown as Stream).write(bytes, () => sent++)
    await poll(() => [ours.size, theirs.size, sent]).toEqual([SIZE, SIZE, 2])
    expect(Buffer.concat(ours.received).equals(bytes)).toBe(true)
    expect(Buffer.concat(theirs.received).equals(bytes)).toBe(true)

    // Who does not read is not read for: only so much is under way.
    const silent = server as unknown as Stream
    silent.pauseReading()
    for (let i = 0; i < 40; i++) client.write(bytes)
    await poll(() => client.unsentBytes).toBeGreaterThan(SIZE)
    silent.resumeReading()
    await poll(() => theirs.size).toBe(41 * SIZE)
    client.destroy()
    await poll(() => theirs.closed).not.toBeUndefined()
    expect(ours.closed).toBeUndefined()
  },
  30_000,
)

test.each([
  ['sockets of Node', (stream: Stream) => stream],
  ['a proxy', (stream: Stream) => foreign(stream, SocketType.http)],
] as const)('a connection that is refused over %s is told once, as what it is', async (_, carried) => {
  const closed = net.createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as net.AddressInfo
  closed.close()
  await once(closed, 'close')
  const listener = new Listener()
  const below = carried(tcp.connect({ address: '127.0.0.1', port }, {}, new Listener()))
  tls.connect(below, { context: contextOf(new Authority()), serverName: 'x', verify: () => true }, listener)
  await poll(() => (listener.closed as LibtorrentError | null | undefined)?.code).toBe('ECONNREFUSED')
})

test('a stream that is destroyed in the middle of its handshake tells nothing more', async () => {
  const listener = new Listener()
  let ended = false
  const at = await listen((stream) => {
    stream.setHandler({ onConnected() {}, onData() {}, onDrain() {}, onClosed: () => (ended = true) })
  })
  const below = tcp.connect(at.local, {}, new Listener())
  const secure = tls.connect(
    below,
    { context: contextOf(new Authority()), serverName: 'x', verify: () => true },
    listener,
  )
  await poll(() => secure.local).not.toBeNull()
  secure.destroy()
  await poll(() => ended).toBe(true)
  expect([listener.isConnected, listener.closed]).toEqual([false, undefined])
})

test('a server that the root certificate has not signed is refused, whatever NODE_TLS_REJECT_UNAUTHORIZED says', async () => {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
  onTestFinished(() => void vi.unstubAllEnvs())
  const ours = new Listener()
  const strangers = contextOf(new Authority())
  const listener = await listen((stream) => {
    tls.accept(stream, { contextFor: () => strangers, verify: () => true }).setHandler(new Listener())
  })
  const below = tcp.connect(listener.local, {}, new Listener())
  const context = contextOf(new Authority())
  const client = tls.connect(below, { context, serverName: 'torrent', verify: () => true }, ours)
  onTestFinished(() => client.destroy())
  await poll(() => ours.closed !== undefined).toBe(true)
  expect(ours.closed?.operation).toBe('sslHandshake')
  expect(ours.isConnected).toBe(false)
})
