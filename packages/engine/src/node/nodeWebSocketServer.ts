import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { RawData, WebSocket, WebSocketServer } from 'ws'
import type { WebSocketClient, WebSocketService } from '../platform/webSocketServer.ts'
import { EMPTY_BYTES } from '../util/bytes.ts'
import type { Millis } from '../util/flavored.ts'
import { lastAnswer } from './lastAnswer.ts'
import { PIECE_LIMITS } from './webSocketLimits.ts'

/** What is used of the package `ws`. */
export interface WebSocketServerModule {
  readonly WebSocketServer: typeof WebSocketServer
}

/** The client has this long to answer our goodbye. */
const CLOSE_MS: Millis = 1000
const NOT_FOUND = { status: 404, body: EMPTY_BYTES }
const UNAVAILABLE = { status: 503, body: EMPTY_BYTES }

/** The WebSockets at the port of one HTTP server: takes connections over that ask for it. */
export class NodeWebSocketServer {
  private readonly server: WebSocketServer

  constructor(
    module: WebSocketServerModule,
    private readonly service: WebSocketService,
  ) {
    this.server = new module.WebSocketServer({
      noServer: true,
      maxPayload: service.maxMessageBytes,
      ...PIECE_LIMITS,
      // What is compressed can grow a thousandfold, and takes memory for each client.
      perMessageDeflate: false,
    })
    this.server.on('connection', (socket, request) => this.accept(socket, request))
  }

  /** Takes over a connection that asked to become a WebSocket. `taken` is called when it is one. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer, taken: () => void): void {
    const [path = ''] = (request.url ?? '').split('?', 1)
    if (!this.service.serves(path)) return lastAnswer(socket, NOT_FOUND)
    if (this.service.isFull) return lastAnswer(socket, UNAVAILABLE)
    this.server.handleUpgrade(request, socket, head, (client) => {
      taken()
      this.server.emit('connection', client, request)
    })
  }

  /** Says goodbye to all; `closeNow` ends those that do not answer. */
  close(): void {
    for (const client of this.server.clients) client.close(1001)
  }

  closeNow(): void {
    for (const client of this.server.clients) client.terminate()
  }

  private accept(socket: WebSocket, request: IncomingMessage): void {
    const client: WebSocketClient = {
      address: request.socket.remoteAddress ?? '',
      get unsentBytes() {
        return socket.bufferedAmount
      },
      send: (text) => {
        if (socket.readyState === socket.OPEN) socket.send(text)
      },
      close: () => {
        socket.close(1008)
        setTimeout(() => socket.terminate(), CLOSE_MS).unref()
      },
    }
    const handler = this.service.accept(client)
    socket.on('message', (data: RawData) => {
      if (socket.readyState === socket.OPEN) handler.onMessage(String(data))
    })
    // A 'close' follows.
    socket.on('error', () => socket.terminate())
    socket.on('close', () => handler.onClosed())
  }
}
