import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { TestTorrent } from '../../../sim/testTorrent.ts'
import { forLocalhost } from '../tracker/certificates.ts'

export interface ServerOptions {
  readonly https?: boolean
  /** Answers before the usual one; true: it has answered. */
  readonly before?: (request: IncomingMessage, response: ServerResponse, n: number) => boolean
  /** `chunked`: no Content-Length; `close`: a connection for each answer; `http10`: as servers of old. */
  readonly style?: 'plain' | 'chunked' | 'close' | 'http10'
  readonly ranges?: boolean
  /** `user:password`. */
  readonly login?: string
  /** Bytes written at once, with a turn of the event loop between. Default all. */
  readonly chunk?: number
}

/** A web server on 127.0.0.1 with the files of a torrent below /pub/, closed at the end of the test. */
export class ContentServer {
  readonly requests: string[] = []
  connections = 0
  private readonly sockets = new Set<Socket>()
  port = 0

  private constructor(
    private readonly torrent: TestTorrent,
    private readonly options: ServerOptions,
  ) {}

  static async open(torrent: TestTorrent, options: ServerOptions = {}): Promise<ContentServer> {
    const content = new ContentServer(torrent, options)
    const listener = (request: IncomingMessage, response: ServerResponse) => content.answer(request, response)
    const server = options.https ? createHttpsServer(forLocalhost, listener) : createServer(listener)
    server.on(options.https ? 'secureConnection' : 'connection', (socket: Socket) => {
      content.connections++
      content.sockets.add(socket)
      socket.on('close', () => content.sockets.delete(socket))
      socket.on('error', () => {})
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    content.port = (server.address() as AddressInfo).port
    onTestFinished(async () => {
      content.dropConnections()
      await new Promise((resolve) => server.close(resolve))
    })
    return content
  }

  get url(): string {
    return `${this.options.https ? 'https://localhost' : 'http://127.0.0.1'}:${this.port}/pub/`
  }

  get openConnections(): number {
    return this.sockets.size
  }

  dropConnections(): void {
    for (const socket of this.sockets) socket.destroy()
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { before, login, style = 'plain', ranges = true } = this.options
    const n = this.requests.push(`${request.url} ${request.headers.range ?? ''}`.trim()) - 1
    response.on('error', () => {})
    if (before?.(request, response, n)) return
    const credentials = `Basic ${Buffer.from(login ?? '').toString('base64')}`
    if (login !== undefined && request.headers.authorization !== credentials) {
      return void response.writeHead(401, { 'www-authenticate': 'Basic' }).end('who are you?')
    }
    const path = decodeURIComponent(new URL(request.url ?? '', 'http://x').pathname)
    const file = this.torrent.files.find((candidate) => `/pub/${candidate.path}` === path && !candidate.pad)
    if (file === undefined) return void response.writeHead(404).end('<h1>not here</h1>')
    const content = this.torrent.fileContent(file)
    const range = ranges ? /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') : null
    const [first, last] = range === null ? [0, content.length - 1] : [Number(range[1]), Number(range[2])]
    const body = content.subarray(first, last + 1)
    const headers: Record<string, string | number> = {}
    if (range !== null) headers['content-range'] = `bytes ${first}-${last}/${content.length}`
    if (style !== 'chunked') headers['content-length'] = body.length
    if (style === 'close' || style === 'http10') headers.connection = 'close'
    if (style === 'http10') response.useChunkedEncodingByDefault = false
    response.writeHead(range === null ? 200 : 206, headers)
    this.write(response, body)
  }

  private write(response: ServerResponse, body: Uint8Array): void {
    const { chunk = body.length } = this.options
    if (body.length <= chunk) return void response.end(body)
    const more = () => setImmediate(() => this.write(response, body.subarray(chunk)))
    if (response.write(body.subarray(0, chunk))) more()
    else response.once('drain', more)
  }
}
