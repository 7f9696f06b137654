import { expect, test } from 'vitest'
import { openTracker, RawClient } from './servers.ts'

const request = (path: string, headers: string) =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers}\r\n\r\n`
const upgrade = (path: string) => request(path, 'Upgrade: websocket\r\nConnection: Upgrade')

test.each([true, false])('who is refused a WebSocket makes room for others (it stays: %s)', async (stays) => {
  const tracker = await openTracker({ maxConnections: 2 })
  for (let i = 0; i < 6; i++) {
    const client = new RawClient(tracker.port, '127.0.0.1', stays)
    client.send(upgrade('/other'))
    await expect.poll(() => client.received).toContain('404')
    if (!stays) await client.closed
  }
  await tracker.close()
})

test('who asks for another protocol than WebSocket is answered by HTTP, which is his right', async () => {
  const tracker = await openTracker({ maxConnections: 1 })
  for (let i = 0; i < 3; i++) {
    const client = new RawClient(tracker.port)
    client.send(request('/scrape', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk'))
    expect(await client.receives(/failure/)).toMatch(/^HTTP\/1.1 200 OK\r\n[\s\S]*failure reason/)
    await client.closed
  }
})
