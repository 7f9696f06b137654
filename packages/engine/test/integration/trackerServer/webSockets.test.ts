import { expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { TrackerServer } from '../../../src/api/trackerServer.ts'
import type { TrackerServerOptions } from '../../../src/trackerServer/trackerServerOptions.ts'
import { hashText, idText, offers } from '../../unit/trackerServer/webScene.ts'
import { openTracker, RawClient } from './servers.ts'

/** A WebSocket to the tracker, and what it is told. */
class User {
  readonly heard: Record<string, unknown>[] = []
  readonly socket: WebSocket
  readonly closed: Promise<number>

  constructor(
    tracker: TrackerServer,
    readonly n: number,
    options: {
      readonly localAddress?: string
      readonly path?: string
      readonly host?: string
      forwardedFor?: string
    } = {},
  ) {
    const { localAddress, path = '/announce', host = '127.0.0.1', forwardedFor } = options
    const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }
    this.socket = new WebSocket(`ws://${host}:${tracker.port}${path}`, { localAddress, headers })
    this.socket.on('error', () => {})
    this.socket.on('message', (data) => this.heard.push(JSON.parse(String(data))))
    this.closed = new Promise((resolve) => this.socket.on('close', resolve))
    onTestFinished(() => this.socket.terminate())
  }

  async announces(changes: Record<string, unknown> = {}): Promise<void> {
    if (this.socket.readyState !== WebSocket.OPEN) await new Promise((resolve) => this.socket.once('open', resolve))
    const count = this.heard.length
    const message = { action: 'announce', info_hash: hashText(1), peer_id: idText(this.n), left: 1, ...changes }
    this.socket.send(JSON.stringify(message))
    await expect.poll(() => this.heard.length).toBeGreaterThan(count)
  }
}

test('WebSockets are spoken at the port of HTTP, and offers and answers go through', async () => {
  const tracker = await openTracker()
  expect(tracker.urls('tracker.example')).toContain(`ws://tracker.example:${tracker.port}/announce`)
  expect(tracker.listening).toContain(`ws 127.0.0.1:${tracker.port}`)
  const announced: unknown[] = []
  tracker.on('announce', ({ address, port, incomplete }) => announced.push({ address, port, incomplete }))
  const [first, second] = [new User(tracker, 1), new User(tracker, 2, { path: '/' })]
  await first.announces()
  await second.announces({ offers: offers(1) })
  await expect.poll(() => first.heard.length).toBe(2)
  const { peer_id, offer_id } = first.heard[1]
  await second.announces()
  first.socket.send(
    JSON.stringify({
      action: 'announce',
      info_hash: hashText(1),
      peer_id: idText(1),
      to_peer_id: peer_id,
      offer_id,
      answer: { type: 'answer', sdp: 'x' },
    }),
  )
  await expect.poll(() => second.heard.at(-1)).toMatchObject({ offer_id, answer: { type: 'answer', sdp: 'x' } })
  expect(tracker.stats()).toMatchObject({ webClients: 2, webPeers: 2, offers: 1, answers: 1, announces: 3 })
  expect(announced).toContainEqual({ address: '127.0.0.1', port: 0, incomplete: 2 })
  first.socket.close()
  await expect.poll(() => tracker.stats().webPeers).toBe(1)
})

test('a tracker of WebSockets alone serves nothing else', async () => {
  const tracker = await openTracker({ http: false, udp: false, ws: true })
  expect(tracker.listening).toEqual([`ws 127.0.0.1:${tracker.port}`])
  await new User(tracker, 1).announces()
  const client = new RawClient(tracker.port)
  client.send('GET /announce HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  expect(await client.receives(/404/)).toContain('404')
  expect(() => new TrackerServer({ http: false, udp: false })).toThrow('a tracker needs a protocol')
})

const upgrade = (path: string) =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`

test.each<[string, TrackerServerOptions, string, RegExp]>([
  ['without WebSockets', { ws: false }, upgrade('/announce'), /HTTP\/1.1 (?!101)/],
  ['of another path', {}, upgrade('/other'), /404/],
  ['with a wrong handshake', {}, upgrade('/announce').replace('13', '7'), /40\d|426/],
  ['that is full', { maxWebClients: 1 }, upgrade('/announce'), /503/],
])('a tracker %s refuses one, and goes on', async (_, options, request, answer) => {
  const tracker = await openTracker(options)
  if (options.ws !== false) await new User(tracker, 1).announces()
  const client = new RawClient(tracker.port)
  client.send(request)
  expect(await client.receives(answer)).toMatch(answer)
  const other = new RawClient(tracker.port)
  other.send('GET /scrape HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  expect(await other.receives(/failure/)).toContain('200 OK')
})

test('a message that is too large is the end of its sender', async () => {
  const tracker = await openTracker()
  const user = new User(tracker, 1)
  await user.announces()
  user.socket.send(`{"action":"${'x'.repeat(300_000)}"}`)
  expect(await user.closed).toBe(1009)
  await expect.poll(() => tracker.stats()).toMatchObject({ webClients: 0, webPeers: 0 })
})

test('a message in thousands of pieces is the end of its sender', async () => {
  const tracker = await openTracker()
  const user = new User(tracker, 1)
  await user.announces()
  for (let i = 0; i < 1000; i++) user.socket.send('x', { fin: false })
  expect(await user.closed).toBe(1008)
})

test('WebSockets of IPv4 and IPv6 are counted together', async () => {
  const tracker = await openTracker({ hosts: ['127.0.0.1', '::1'], maxWebClients: 1 })
  await new User(tracker, 1).announces()
  const second = new User(tracker, 2, { host: '[::1]' })
  expect(await second.closed).toBe(1006)
  expect(tracker.stats()).toMatchObject({ webClients: 1 })
})

test('WebSockets count with the connections of their address, and not with those of HTTP', async () => {
  const tracker = await openTracker({ maxConnectionsPerIp: 2, maxConnections: 2 })
  const users = [1, 2].map((n) => new User(tracker, n, { localAddress: '127.0.0.2' }))
  for (const user of users) await user.announces()
  const third = new User(tracker, 3, { localAddress: '127.0.0.2' })
  await third.closed
  const others = [4, 5].map((n) => new User(tracker, n, { localAddress: '127.0.0.3' }))
  for (const user of others) await user.announces()
  expect(tracker.stats()).toMatchObject({ webClients: 4 })
})

test('closing the tracker says goodbye, and waits for nobody', async () => {
  const tracker = await openTracker()
  const user = new User(tracker, 1)
  await user.announces()
  const silent = new RawClient(tracker.port)
  silent.send(upgrade('/announce'))
  await silent.receives(/101/)
  await tracker.close()
  expect([1001, 1006]).toContain(await user.closed)
})

test('who does not answer a ping is gone at the next one, and who answers stays', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const tracker = await openTracker()
  const user = new User(tracker, 1)
  await user.announces()
  let pings = 0
  user.socket.on('ping', () => pings++)
  const silent = new RawClient(tracker.port)
  silent.send(upgrade('/announce'))
  await silent.receives(/101/)
  await expect.poll(() => tracker.stats().webClients).toBe(2)
  for (const count of [1, 2, 3]) {
    vi.advanceTimersByTime(30_000)
    await expect.poll(() => pings).toBe(count)
    await user.announces()
  }
  await silent.closed
  expect(tracker.stats()).toMatchObject({ webClients: 1, webPeers: 1 })
})

test.each([
  ['of a web server on this machine, when it is trusted', true, '9.9.9.9, 9.1.2.3', '127.0.0.1', '9.1.2.3'],
  ['of IPv6', true, '2001:DB8::1', '127.0.0.1', '2001:db8::1'],
  ['of anybody, when nobody is trusted', false, '9.1.2.3', '127.0.0.1', '127.0.0.1'],
  ['of another machine', true, '9.1.2.3', '127.0.0.2', '127.0.0.2'],
  ['that is none', true, '9.1.2.3, unknown', '127.0.0.1', '127.0.0.1'],
])('the word %s for who asks', async (_, trustProxy, forwardedFor, localAddress, expected) => {
  const tracker = await openTracker({ trustProxy })
  const addresses: string[] = []
  tracker.on('announce', ({ address }) => addresses.push(address))
  await new User(tracker, 1, { localAddress, forwardedFor }).announces()
  const client = new RawClient(tracker.port, localAddress)
  const query = `info_hash=${'a'.repeat(20)}&peer_id=${'b'.repeat(20)}&port=1&left=1`
  client.send(`GET /announce?${query} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ${forwardedFor}\r\n\r\n`)
  expect(await client.receives(/interval/)).toContain('200 OK')
  expect(addresses).toEqual([expected, expected])
})
