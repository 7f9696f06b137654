import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { HttpConnection } from '../../../src/node/httpConnection.ts'
import { openTunnel } from '../../../src/node/proxyTunnel.ts'
import { afterThisTest, rawServer } from '../tracker/servers.ts'
import { realProxy, routeTo } from './proxies.ts'

async function tunnel(): Promise<Socket> {
  const server = await rawServer(() => {})
  const { port } = await realProxy({ kind: 'socks5' })
  const socket = await new Promise<Socket>((resolve, reject) => {
    openTunnel(routeTo('socks5', port), { host: '127.0.0.1', port: server }, {}, (result) => {
      if (result instanceof Error) return reject(result)
      resolve(result)
      // Its owner loads TLS, say, and meanwhile the proxy breaks it.
      result.destroy(new Error('reset by the proxy'))
    })
  })
  afterThisTest(() => void socket.destroy())
  return socket
}

test('a tunnel that breaks before anybody has taken it over ends nothing else', async () => {
  const socket = await tunnel()
  await new Promise((resolve) => setImmediate(resolve))
  expect(socket.destroyed).toBe(true)
})

test('and whoever takes it over then is told that it is closed', async () => {
  const socket = await tunnel()
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
  const connection = HttpConnection.over(socket)
  await new Promise((onClosed) => connection.send('GET / HTTP/1.1\r\n\r\n', { onRead: () => true, onClosed }))
  expect(connection.isClosed).toBe(true)
}, 2000)
