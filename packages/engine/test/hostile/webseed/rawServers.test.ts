import { type AddressInfo, createServer, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { openLeecher } from '../../integration/webseed/download.ts'

/** A server that does as it likes with each connection. */
async function rawServer(serve: (socket: Socket, n: number) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    serve(socket, sockets.size)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/pub/`
}

const HEAD = 'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-99999/100000\r\n'

test.each([
  ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['headers without end', `${HEAD}${'X-A: 1234567890\r\n'.repeat(5000)}`],
  ['a chunk of 2^63 bytes', `${HEAD}Transfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\nabc`],
  ['a chunk that is none', `${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc`],
  ['two lengths', `${HEAD}Content-Length: 100000\r\nContent-Length: 5\r\n\r\nabc`],
  ['a negative length', `${HEAD}Content-Length: -1\r\n\r\nabc`],
  ['length and chunks', `${HEAD}Content-Length: 100000\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['nothing at all', ''],
  ['a status of none', 'HTTP/1.1 000 x\r\n\r\n'],
])('%s is a failure like others: nothing is taken, and it is tried again later', async (_, text) => {
  const torrent = new TestTorrent({ size: 100_000 })
  const url = await rawServer((socket) => socket.end(text))
  const leecher = openLeecher(torrent, url, { settings: { urlseedTimeout: 2 } })
  await new Promise<void>((resolve) => {
    leecher.onTroubled = resolve
    leecher.seed.pump()
  })
  expect(['waiting', 'disabled']).toContain(leecher.seed.state.name)
  expect(leecher.blocks.size).toBe(0)
  expect(leecher.leftovers).toEqual({ slots: 0, asked: 0 })
})

test('a body without end is read no further than asked for', async () => {
  const torrent = new TestTorrent({ size: 100_000 })
  let sent = 0
  const url = await rawServer((socket) => {
    socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`)
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536), Buffer.from('\r\n')])
    const more = (): void => {
      if (socket.destroyed || sent > 200 << 20) return
      sent += 65_536
      if (socket.write(chunk)) setImmediate(more)
      else socket.once('drain', more)
    }
    more()
  })
  const leecher = openLeecher(torrent, url)
  await new Promise<void>((resolve) => {
    leecher.onDone = resolve
    leecher.seed.pump()
  })
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(leecher.receivedBytes).toBe(100_000)
  expect(sent).toBeLessThan(32 << 20)
})
