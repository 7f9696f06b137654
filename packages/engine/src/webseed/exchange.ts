import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type { HttpStream, HttpStreamClient, HttpStreamHead, HttpStreamRequest } from '../platform/httpStream.ts'
import type { Seconds } from '../util/flavored.ts'
import { headersForOthers } from './requestHeaders.ts'
import type { Verdict } from './responseVerdict.ts'
import { isSameOrigin, redirectTarget } from './webSeedLocation.ts'

/** Redirects of one request. */
const MAX_REDIRECTS = 5
/** Of an answer that is of no use so much is read, so that its connection can be used again. */
const MAX_UNUSED_BYTES = 16 * 1024
/** BEP 17: the body of a 503 is a number of seconds. */
const MAX_RETRY_TEXT = 16

/** How an exchange ended. */
export type ExchangeEnd =
  /** All bytes came that the answer was to have; `received` of them. */
  | { readonly kind: 'complete'; readonly received: number; readonly url: string; readonly redirected: boolean }
  /** The connection failed, or the body was not as long as announced. */
  | { readonly kind: 'failed'; readonly received: number; readonly error: LibtorrentError; readonly url: string }
  | { readonly kind: 'missing'; readonly error: LibtorrentError; readonly url: string }
  | { readonly kind: 'refused'; readonly error: LibtorrentError; readonly url: string }
  | {
      readonly kind: 'busy'
      readonly received: 0
      readonly error: LibtorrentError
      readonly url: string
      readonly retryAfter: Seconds | null
    }

export interface ExchangeHost {
  readonly http: HttpStreamClient
  /** A request for `url` with everything but its headers. */
  request(url: string): Omit<HttpStreamRequest, 'headers'>
  /** Why a redirect to this URL is not followed, or null. */
  refusesTarget(url: string): LibtorrentError | null
  judge(head: HttpStreamHead): Verdict
  /** The bytes that were asked for, from `received` on; gives how many were taken. */
  onBytes(received: number, chunk: Uint8Array): number
  onEnd(end: ExchangeEnd): void
}

type ExchangeState =
  | { readonly name: 'waiting' }
  | { readonly name: 'body'; skip: number; readonly length: number }
  /** The answer tells what is wrong, and ends soon. `text` is kept of a 503. */
  | { readonly name: 'unused'; seen: number; text: string | null; readonly end: ExchangeEnd }
  | { readonly name: 'over' }

/** One request with the redirects it leads through, until its body is there or it is clear that it does not come. */
export class Exchange {
  received = 0
  private state: ExchangeState = { name: 'waiting' }
  private stream: HttpStream | null = null
  private redirects = 0

  constructor(
    private readonly host: ExchangeHost,
    private url: string,
    private headers: Readonly<Record<string, string>>,
  ) {}

  start(): void {
    this.open()
  }

  /** There is room again for bytes that were not taken. */
  resume(): void {
    this.stream?.resume()
  }

  /** Ends silently. */
  abort(): void {
    this.state = { name: 'over' }
    this.stream?.abort()
    this.stream = null
  }

  private open(): void {
    this.state = { name: 'waiting' }
    const { url } = this
    const current: { stream: HttpStream | null } = { stream: null }
    /** Whether what is reported is of the hop that counts. */
    const isCurrent = () => this.stream === current.stream && this.state.name !== 'over'
    current.stream = this.host.http.open(
      { ...this.host.request(url), headers: this.headers },
      {
        onResponse: (head) => isCurrent() && this.onResponse(head),
        onData: (chunk) => (isCurrent() ? this.onData(chunk) : chunk.length),
        onEnd: () => isCurrent() && this.onEnd(),
        onError: (error) => isCurrent() && this.fail(error),
      },
    )
    this.stream = current.stream
  }

  private onResponse(head: HttpStreamHead): void {
    const { url } = this
    const verdict = this.host.judge(head)
    switch (verdict.kind) {
      case 'body':
        this.state = { name: 'body', skip: verdict.skip, length: verdict.length }
        return
      case 'redirect':
        return this.redirect(verdict.location)
      case 'busy': {
        const text = head.status === 503 ? '' : null
        this.state = { name: 'unused', seen: 0, text, end: { ...verdict, received: 0, url } }
        return
      }
      default:
        this.state = { name: 'unused', seen: 0, text: null, end: { ...verdict, url } }
    }
  }

  private onData(chunk: Uint8Array): number {
    const { state } = this
    if (state.name === 'body') return this.onBody(state, chunk)
    if (state.name !== 'unused') return chunk.length
    state.seen += chunk.length
    if (state.text !== null && state.text.length <= MAX_RETRY_TEXT) {
      state.text += Buffer.from(chunk.subarray(0, MAX_RETRY_TEXT + 1)).toString('latin1')
    }
    if (state.seen > MAX_UNUSED_BYTES) this.finishUnused(state)
    return chunk.length
  }

  private onBody(state: Extract<ExchangeState, { name: 'body' }>, chunk: Uint8Array): number {
    const skipped = Math.min(state.skip, chunk.length)
    state.skip -= skipped
    const length = Math.min(chunk.length - skipped, state.length - this.received)
    const part = skipped === 0 && length === chunk.length ? chunk : chunk.subarray(skipped, skipped + length)
    const taken = length === 0 ? 0 : this.host.onBytes(this.received, part)
    this.received += taken
    // Taking the bytes may have ended everything.
    if (this.state !== state) return chunk.length
    if (taken < length) return skipped + taken
    if (skipped + length < chunk.length && state.skip === 0) {
      // More than announced, or the rest of a file of which a part was wanted: the part is complete either way.
      this.finish({ kind: 'complete', received: this.received, url: this.url, redirected: this.redirects > 0 })
    }
    return chunk.length
  }

  private onEnd(): void {
    const { state, received, url } = this
    if (state.name === 'unused') return this.finishUnused(state)
    if (state.name === 'body' && received === state.length) {
      return this.finish({ kind: 'complete', received, url, redirected: this.redirects > 0 })
    }
    this.fail(libtorrentError('invalidRange'))
  }

  private redirect(location: string | undefined): void {
    const to = redirectTarget(this.url, location)
    if (typeof to !== 'string') return this.finish({ kind: 'missing', error: to, url: this.url })
    const refusal = this.host.refusesTarget(to)
    if (refusal !== null) return this.finish({ kind: 'missing', error: refusal, url: to })
    if (this.redirects === MAX_REDIRECTS) {
      return this.finish({ kind: 'missing', error: libtorrentError('invalidRedirection'), url: this.url })
    }
    this.redirects++
    if (!isSameOrigin(this.url, to)) this.headers = headersForOthers(this.headers)
    this.url = to
    this.stream?.abort()
    this.open()
  }

  private finishUnused(state: Extract<ExchangeState, { name: 'unused' }>): void {
    const { end, text } = state
    if (end.kind !== 'busy' || text === null || end.retryAfter !== null) return this.finish(end)
    const seconds = /^\s*(\d{1,6})\s*$/.exec(text)
    this.finish({ ...end, retryAfter: seconds === null ? null : Number(seconds[1]) })
  }

  private fail(error: LibtorrentError): void {
    const { received, url, redirects } = this
    if (!isForbidden(error)) return this.finish({ kind: 'failed', received, error, url })
    // Where a redirect must not lead there is nothing for us; where the seed itself must not be, neither.
    this.finish({ kind: redirects > 0 ? 'missing' : 'refused', error, url })
  }

  private finish(end: ExchangeEnd): void {
    this.abort()
    this.host.onEnd(end)
  }
}

/** Not to be connected to, now or later. */
function isForbidden(error: LibtorrentError): boolean {
  return error.is('ssrfMitigation') || error.is('portBlocked')
}
