import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { HttpAnswer } from '../platform/httpServer.ts'
import type { Millis } from '../util/flavored.ts'

/** Who does not take so little in this time does not want it. */
const TIMEOUT_MS: Millis = 5000

/**
 * Answers a request for another protocol in HTTP after all. Node's HTTP server has let go of the connection, so that
 * nobody else would close it: it is ended here, whether the client closes its end or not.
 */
export function lastAnswer(socket: Socket, { status, body }: HttpAnswer): void {
  socket.on('error', () => {})
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy())
  socket.once('finish', () => socket.destroy())
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: text/plain; charset=utf-8\r\n`
  socket.write(`${head}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`, 'latin1')
  socket.end(body)
}
