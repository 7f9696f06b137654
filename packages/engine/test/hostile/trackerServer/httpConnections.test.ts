import { createSocket } from 'node:dgram'
import { expect, onTestFinished, test } from 'vitest'
import { openTracker, RawClient } from '../../integration/trackerServer/servers.ts'

test('slow senders are cut off after ten seconds, and keep nobody else waiting', async () => {
  const tracker = await openTracker({ udp: false })
  let cutOff = 0
  const silent = new RawClient(tracker.port)
  const dripping = new RawClient(tracker.port)
  const body = new RawClient(tracker.port)
  dripping.send('GET /announce HTTP/1.1\r\nHost: x\r\nX-')
  const drip = setInterval(() => dripping.send('a'), 500)
  onTestFinished(() => clearInterval(drip))
  body.send('POST /announce HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n')
  for (const slow of [silent, dripping, body]) void slow.closed.then(() => cutOff++)
  const quick = new RawClient(tracker.port)
  quick.send('GET /scrape HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  expect(await quick.receives(/failure/)).toContain('200 OK')
  expect(cutOff).toBe(0)
  await Promise.all([dripping.closed, body.closed, silent.closed])
}, 30_000)

test.each([
  ['headers without end', `GET / HTTP/1.1\r\n${'X-A: b\r\n'.repeat(5000)}`, /431/],
  ['a URL of a megabyte', `GET /announce?${'a'.repeat(1 << 20)} HTTP/1.1\r\n\r\n`, /431|414|^$/],
  ['another method', 'DELETE /announce HTTP/1.1\r\nHost: x\r\n\r\n', /405/],
  ['no HTTP', '\x13BitTorrent protocol\0\0\0\0\0\0\0\0', /400/],
  ['two lengths', 'GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', /400/],
])('%s is refused, and the connection closed', async (_, text, status) => {
  const tracker = await openTracker({ udp: false })
  const client = new RawClient(tracker.port)
  client.send(text)
  await client.closed
  expect(client.received).toMatch(status)
})

test('more connections than allowed are not kept, and those before go on', async () => {
  const tracker = await openTracker({ udp: false, maxConnections: 5 })
  const clients = Array.from({ length: 5 }, () => new RawClient(tracker.port))
  await Promise.all(clients.map((client) => client.connected))
  clients[0].send('GET /scrape HTTP/1.1\r\nHost: x\r\n\r\n')
  await clients[0].receives(/failure/)
  const late = new RawClient(tracker.port)
  await late.closed
  clients[4].send('GET /scrape HTTP/1.1\r\nHost: x\r\n\r\n')
  expect(await clients[4].receives(/failure/)).toContain('200 OK')
})

test('one address has so many connections and no more; others, and this machine, are not counted with it', async () => {
  const tracker = await openTracker({ udp: false, maxConnectionsPerIp: 3 })
  const get = 'GET /scrape HTTP/1.1\r\nHost: x\r\n\r\n'
  const served = async (from: string) => {
    const client = new RawClient(tracker.port, from)
    client.send(get)
    await Promise.race([client.receives(/failure/), client.closed])
    return client
  }
  const greedy: RawClient[] = []
  for (let i = 0; i < 5; i++) greedy.push(await served('127.0.0.2'))
  expect(greedy.map(({ received }) => received.includes('200 OK'))).toEqual([true, true, true, false, false])
  expect((await served('127.0.0.3')).received).toContain('200 OK')
  for (let i = 0; i < 5; i++) expect((await served('127.0.0.1')).received).toContain('200 OK')
  greedy[0].socket.end()
  await greedy[0].closed
  expect((await served('127.0.0.2')).received).toContain('200 OK')
})

test('packets of random bytes are not answered', async () => {
  const tracker = await openTracker({ http: false })
  const socket = createSocket('udp4')
  onTestFinished(() => void socket.close())
  let answers = 0
  socket.on('message', () => answers++)
  const send = (bytes: Uint8Array) =>
    new Promise<void>((resolve) => socket.send(bytes, tracker.port, '127.0.0.1', () => resolve()))
  for (let n = 0; n < 2000; n++) await send(Uint8Array.from({ length: n % 1400 }, (_, i) => (i * 31 + n) & 0xff))
  const connect = Buffer.from('0000041727101980000000000000002a', 'hex')
  await send(connect)
  await new Promise((resolve) => socket.once('message', resolve))
  expect(answers).toBe(1)
})
