import { isI2pName } from '../address/i2pAddress.ts'
import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import { requestText } from '../http/requestText.ts'
import { ResponseReader } from '../http/responseReader.ts'
import type { Timer, Timers } from '../platform/clock.ts'
import type { HttpClient, HttpRequest, HttpResponse } from '../platform/http.ts'
import type { Stream, StreamHandler } from '../platform/tcp.ts'
import { concatBytes, fromLatin1 } from '../util/bytes.ts'

export interface I2pHttpHost {
  readonly timers: Timers
  /** Begins to connect to a host of I2P. */
  connect(host: string, handler: StreamHandler): Stream
}

/**
 * HTTP exchanges with servers inside I2P. What is asked for elsewhere, or by another scheme than `http:`, is not sent, and
 * redirects are not followed: a server in I2P must not lead us out of it.
 */
export class I2pHttp implements HttpClient {
  constructor(private readonly host: I2pHttpHost) {}

  get(request: HttpRequest, done: (result: HttpResponse | LibtorrentError) => void): () => void {
    const url = URL.canParse(request.url) ? new URL(request.url) : null
    const text = url === null ? null : requestText(url, request.headers ?? {})
    if (url === null || text === null || url.protocol !== 'http:' || !isI2pName(url.hostname)) {
      const error = libtorrentError('unsupportedUrlProtocol', { operation: 'connect' })
      const timer = this.host.timers.after(0, () => done(error))
      return () => timer.cancel()
    }
    const exchange = new I2pExchange(this.host, url, fromLatin1(text), request, done)
    return () => exchange.cancel()
  }
}

/** One request and its answer, on a stream of its own. */
class I2pExchange implements StreamHandler {
  private readonly stream: Stream
  private readonly limit: Timer
  private silence: Timer | null = null
  private readonly reader: ResponseReader
  private readonly chunks: Uint8Array[] = []
  private size = 0
  private isOver = false

  constructor(
    private readonly host: I2pHttpHost,
    private readonly url: URL,
    private readonly text: Uint8Array,
    private readonly request: HttpRequest,
    private readonly done: (result: HttpResponse | LibtorrentError) => void,
  ) {
    this.reader = new ResponseReader({ onHead: () => {}, onBody: (bytes) => this.onBody(bytes) })
    this.limit = host.timers.after(request.completionTimeout, () => this.end(timedOut()))
    this.stream = host.connect(url.hostname, this)
  }

  cancel(): void {
    if (this.isOver) return
    this.isOver = true
    this.limit.cancel()
    this.silence?.cancel()
    this.stream.destroy()
  }

  onConnected(): void {
    this.stream.write(this.text)
    this.expectMore()
  }

  onData(chunk: Uint8Array): void {
    if (this.isOver) return
    this.expectMore()
    this.reader.read(chunk)
    if (this.size > this.request.maxBodyBytes) {
      this.end(libtorrentError('packetTooLarge', { operation: 'socketRead' }))
    } else if (this.reader.state === 'malformed')
      this.end(libtorrentError('httpParseError', { operation: 'socketRead' }))
    else if (this.reader.state === 'complete') this.end(this.response())
  }

  onDrain(): void {}

  onClosed(error: LibtorrentError | null): void {
    if (error !== null) this.end(error)
    else this.end(this.reader.end() ? this.response() : libtorrentError('httpParseError', { operation: 'socketRead' }))
  }

  private onBody(bytes: Uint8Array): number {
    this.size += bytes.length
    if (this.size <= this.request.maxBodyBytes) this.chunks.push(new Uint8Array(bytes))
    return bytes.length
  }

  private expectMore(): void {
    this.silence?.cancel()
    this.silence = this.host.timers.after(this.request.receiveTimeout, () => this.end(timedOut()))
  }

  private response(): HttpResponse | LibtorrentError {
    const { head } = this.reader
    const encoding = head?.headers['content-encoding'] ?? 'identity'
    // Nothing was said that would allow it.
    if (head === null || encoding !== 'identity') {
      return libtorrentError('httpFailedDecompress', { operation: 'socketRead' })
    }
    return {
      status: head.status,
      headers: head.headers,
      body: concatBytes(...this.chunks),
      remoteAddress: this.url.hostname,
      finalUrl: this.url.href,
    }
  }

  private end(result: HttpResponse | LibtorrentError): void {
    if (this.isOver) return
    this.cancel()
    this.done(result)
  }
}

function timedOut(): LibtorrentError {
  return libtorrentError('timedOut', { operation: 'socketRead' })
}
