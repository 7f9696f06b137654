import type { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import type {
  HttpStream,
  HttpStreamClient,
  HttpStreamHandler,
  HttpStreamRequest,
} from '../../../src/platform/httpStream.ts'
import type { FakeTime } from '../tracker/fakes.ts'

/** What a scripted server answers with. */
export interface FakeAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** Bytes in each piece of the body as it arrives. Default all at once. */
  readonly chunk?: number
  /** The connection ends in this error instead of in order. */
  readonly error?: LibtorrentError
  /** Milliseconds until the answer begins, and between its pieces. Default 10 and 1. */
  readonly delay?: number
}

/** `nothing`: the request is never answered. */
export type FakeHandler = (request: HttpStreamRequest, n: number) => FakeAnswer | LibtorrentError | 'nothing'

/** HTTP streams whose other end is a function, in virtual time. */
export class FakeHttp implements HttpStreamClient {
  readonly requests: HttpStreamRequest[] = []
  /** Exchanges that are not over. */
  active = 0
  mostActive = 0
  isClosed = false

  constructor(
    private readonly time: FakeTime,
    private readonly handler: FakeHandler,
    private readonly addressOf: (url: string) => string = () => '9.9.9.9',
  ) {}

  /** `path range`, without the `bytes=`, of each request. */
  get asked(): string[] {
    return this.requests.map(({ url, headers }) => {
      const { pathname, search } = new URL(url)
      return `${pathname}${search} ${(headers.range ?? '').replace('bytes=', '')}`.trim()
    })
  }

  open(request: HttpStreamRequest, handler: HttpStreamHandler): HttpStream {
    const answer = this.handler(request, this.requests.length)
    this.requests.push(request)
    this.active++
    this.mostActive = Math.max(this.mostActive, this.active)
    const stream = new FakeStream(this.time, handler, () => this.active--)
    const remoteAddress = this.addressOf(request.url)
    const refused = request.checkAddress?.(remoteAddress) ?? null
    if (refused !== null) stream.later(1, () => stream.fail(refused))
    else if (answer instanceof Error) stream.later(1, () => stream.fail(answer as LibtorrentError))
    else if (answer !== 'nothing') stream.play(answer as FakeAnswer, remoteAddress)
    return stream
  }

  close(): void {
    this.isClosed = true
  }
}

class FakeStream implements HttpStream {
  private over = false
  private held: Uint8Array | null = null
  private next: (() => void) | null = null

  constructor(
    private readonly time: FakeTime,
    private readonly handler: HttpStreamHandler,
    private readonly onOver: () => void,
  ) {}

  later(delay: number, action: () => void): void {
    this.time.after(delay, () => {
      if (!this.over) action()
    })
  }

  play({ status = 200, headers = {}, body = new Uint8Array(0), chunk, error, delay }: FakeAnswer, from: string): void {
    const size = chunk ?? Math.max(1, body.length)
    const send = (at: number): void => {
      if (at >= body.length) {
        if (error !== undefined) return this.fail(error)
        this.end()
        return this.handler.onEnd()
      }
      this.give(body.subarray(at, at + size), () => this.later(delay ?? 1, () => send(at + size)))
    }
    this.later(delay ?? 10, () => {
      this.handler.onResponse({ status, headers, remoteAddress: from })
      if (!this.over) this.later(1, () => send(0))
    })
  }

  fail(error: LibtorrentError): void {
    this.end()
    this.handler.onError(error)
  }

  resume(): void {
    const { held, next } = this
    if (held === null || this.over) return
    this.held = null
    this.give(held, next ?? (() => {}))
  }

  abort(): void {
    if (!this.over) this.end()
  }

  private give(chunk: Uint8Array, next: () => void): void {
    // A view that is not to be kept.
    const lent = Uint8Array.from(chunk)
    const taken = this.handler.onData(lent)
    lent.fill(0xee)
    if (this.over) return
    if (taken < chunk.length) {
      this.held = chunk.subarray(taken)
      this.next = next
    } else next()
  }

  private end(): void {
    this.over = true
    this.onOver()
  }
}
