import http from 'node:http'
import https from 'node:https'
import net, { type AddressInfo } from 'node:net'
import { afterEach } from 'vitest'

const closing: (() => Promise<void> | void)[] = []

/** Runs `close` after the present test. */
export function afterThisTest(close: () => Promise<void> | void): void {
  closing.push(close)
}

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function listen(server: net.Server, host: string, port = 0): Promise<number> {
  const sockets = new Set<net.Socket>()
  const remember = (socket: net.Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  }
  server.on('connection', remember)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  afterThisTest(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

/** An HTTP server; returns its port. It is closed after the test. */
export function httpServer(handler: http.RequestListener, host = '127.0.0.1', port = 0): Promise<number> {
  return listen(http.createServer(handler), host, port)
}

/** An HTTPS server; as `httpServer`. */
export function httpsServer(
  certificate: { readonly cert: string; readonly key: string },
  handler: http.RequestListener,
): Promise<number> {
  return listen(https.createServer(certificate, handler), '127.0.0.1')
}

/** A server that sends what `talk` writes once it was asked anything; as `httpServer`. */
export function rawServer(talk: (socket: net.Socket) => void): Promise<number> {
  return listen(
    net.createServer((socket) => {
      socket.once('data', () => talk(socket))
    }),
    '127.0.0.1',
  )
}
