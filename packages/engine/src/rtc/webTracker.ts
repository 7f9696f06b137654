import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type { Timer } from '../platform/clock.ts'
import type { WebRtc, WebSocketConnection, WebSocketHandler, WebSocketRequest } from '../platform/webRtc.ts'
import { type AnnounceReply, type ScrapeReply, type TrackerFailure, trackerFailure } from '../tracker/trackerRequest.ts'
import type { Millis } from '../util/flavored.ts'
import { TokenBucket } from '../util/tokenBucket.ts'
import type { Introducer } from './introductions.ts'
import type { RtcHost } from './rtcHost.ts'
import { decodeWebTrackerMessage, type WebTrackerMessage } from './webTrackerMessages.ts'

/** After the first failure; twice as long with each that follows, as in WebTorrent. */
const FIRST_REST_MS: Millis = 10_000
const LONGEST_REST_MS: Millis = 3600_000
/** A connection that lasted this long was a good one, whatever came before. */
const GOOD_LIFE_MS: Millis = 300_000
/** A tracker that nobody needs is left after this. */
const LINGER_MS: Millis = 2000
/** That one failed is remembered for so many of its rests. */
const MEMORY_RESTS = 4
/** Messages in a row that are none, before the tracker is left. */
const MAX_GARBAGE = 20
/**
 * Looking at an offer costs a millisecond or so, whatever becomes of it: a tracker cannot keep us busy with them. It may
 * pass on so many at once, and one more each interval; a torrent of a large swarm gets five to ten in two minutes.
 */
const OFFERS_AT_ONCE = 100
const OFFER_INTERVAL_MS: Millis = 200
/** A tracker that takes nothing is not talked at. */
const MAX_UNSENT_BYTES = 1024 * 1024

export type WebTrackerResult = AnnounceReply | ScrapeReply | TrackerFailure

export interface WebTrackerEvents {
  onIntroduction(tracker: WebTracker, message: Extract<WebTrackerMessage, { kind: 'offer' | 'answer' }>): void
  /** The connection broke; those who were known there should come again after about `delay` ms. */
  onLost(tracker: WebTracker, infoHashes: readonly string[], delay: Millis): void
  /** Nobody needs it any more. */
  onUnused(tracker: WebTracker): void
}

type State =
  | { readonly name: 'closed' }
  | { readonly name: 'connecting'; readonly socket: WebSocketConnection; readonly waiting: Set<Waiting> }
  | { readonly name: 'open'; readonly socket: WebSocketConnection; readonly since: Millis; readonly address: string }
  /** It failed: nobody tries before `until`. */
  | { readonly name: 'resting'; readonly until: Millis; readonly error: LibtorrentError }

type Waiting = (error: LibtorrentError | null) => void

interface Pending {
  readonly kind: 'announce' | 'scrape'
  readonly infoHash: string
  readonly done: (result: WebTrackerResult) => void
}

/** One WebSocket tracker: one connection, for all torrents that use it. Opened when it is needed, closed when nobody does. */
export class WebTracker implements Introducer, WebSocketHandler {
  private state: State = { name: 'closed' }
  /** Requests sent and not answered, oldest first. */
  private readonly pending = new Set<Pending>()
  /** Torrents that the tracker knows of. */
  private readonly joined = new Set<string>()
  /** Those that are about to announce or scrape. */
  private users = 0
  private failures = 0
  private garbage = 0
  private lastHeard: Millis = 0
  private leaving: Timer | null = null
  private readonly quota: TokenBucket

  constructor(
    private readonly host: RtcHost,
    private readonly webRtc: WebRtc,
    private readonly events: WebTrackerEvents,
    private readonly request: WebSocketRequest,
  ) {
    this.quota = new TokenBucket(host.platform.clock, OFFERS_AT_ONCE, OFFER_INTERVAL_MS)
  }

  get isOpen(): boolean {
    return this.state.name === 'open'
  }

  /** It is needed from now on; to be ended with `release`. */
  hold(): void {
    this.users++
  }

  release(): void {
    this.users--
    this.leaveIfUnused()
  }

  /** Calls `done`, once, when the connection stands, at once if it does; or with why it does not. Gives how to stop that. */
  open(done: Waiting): () => void {
    const { state } = this
    if (state.name === 'open') {
      done(null)
      return () => {}
    }
    if (state.name === 'resting' && state.until > this.host.platform.clock.now()) {
      done(state.error)
      return () => {}
    }
    const waiting = state.name === 'connecting' ? state.waiting : new Set<Waiting>()
    waiting.add(done)
    if (state.name !== 'connecting') {
      this.state = { name: 'connecting', socket: this.webRtc.connect(this.request, this), waiting }
    }
    return () => {
      waiting.delete(done)
    }
  }

  /** How long nobody should try again, ms; 0: at once. */
  get restLeft(): Millis {
    const { state } = this
    return state.name === 'resting' ? Math.max(0, state.until - this.host.platform.clock.now()) : 0
  }

  /** Sends what somebody will answer: `done` is called once, later. Gives how to stop that. Only while it is open. */
  ask(kind: Pending['kind'], infoHash: string, text: string, done: (result: WebTrackerResult) => void): () => void {
    const pending: Pending = { kind, infoHash, done }
    this.pending.add(pending)
    this.send(text)
    return () => {
      this.pending.delete(pending)
    }
  }

  /** Offers for this torrent are welcome from now on. */
  join(infoHash: string): void {
    this.joined.add(infoHash)
  }

  leave(infoHash: string): void {
    if (this.joined.delete(infoHash)) this.leaveIfUnused()
  }

  send(text: string): void {
    const { state } = this
    if (state.name !== 'open') return
    if (state.socket.unsentBytes > MAX_UNSENT_BYTES) return this.fail(libtorrentError('timedOut', TRACKER))
    state.socket.send(text)
  }

  /** What was asked at `asked` was not answered in time. If nothing was heard since, the connection is no good. */
  onSilence(asked: Millis): void {
    if (this.state.name === 'open' && this.lastHeard < asked) this.fail(libtorrentError('timedOut', TRACKER))
  }

  close(): void {
    const { state } = this
    this.leaving?.cancel()
    this.leaving = null
    this.state = { name: 'closed' }
    this.pending.clear()
    this.joined.clear()
    if (state.name === 'connecting' || state.name === 'open') state.socket.close()
  }

  /** As `close`; whoever waits for something learns why. */
  endWith(error: LibtorrentError): void {
    const { state, pending } = this
    const waiting = state.name === 'connecting' ? [...state.waiting] : []
    const answers = [...pending]
    this.close()
    for (const done of waiting) done(error)
    for (const { done } of answers) done(trackerFailure(error))
  }

  // --- the socket -----------------------------------------------------------------------------------------------

  onOpen(address: string): void {
    const { state } = this
    if (state.name !== 'connecting') return
    this.state = { name: 'open', socket: state.socket, since: this.host.platform.clock.now(), address }
    this.garbage = 0
    for (const done of state.waiting) done(null)
    this.leaveIfUnused()
  }

  onClosed(error: LibtorrentError): void {
    const { state, pending } = this
    if (state.name !== 'connecting' && state.name !== 'open') return
    const { clock, random } = this.host.platform
    const now = clock.now()
    if (state.name === 'open' && now - state.since >= GOOD_LIFE_MS) this.failures = 0
    const rest = Math.min(FIRST_REST_MS * 2 ** this.failures, LONGEST_REST_MS)
    this.failures = Math.min(this.failures + 1, 20)
    this.state = { name: 'resting', until: now + rest, error }
    const infoHashes = [...this.joined]
    const answers = [...pending]
    this.joined.clear()
    pending.clear()
    if (state.name === 'connecting') for (const done of state.waiting) done(error)
    for (const { done } of answers) done(this.failure(error))
    if (infoHashes.length > 0) this.events.onLost(this, infoHashes, rest + random.below(rest))
    this.leaveIfUnused()
  }

  onMessage(text: string): void {
    this.lastHeard = this.host.platform.clock.now()
    const message = decodeWebTrackerMessage(text)
    if (message === null) {
      this.garbage++
      if (this.garbage >= MAX_GARBAGE) this.fail(libtorrentError('invalidTrackerResponse', TRACKER))
      return
    }
    this.garbage = 0
    switch (message.kind) {
      case 'offer':
        if (this.joined.has(message.infoHash) && this.quota.take()) this.events.onIntroduction(this, message)
        return
      case 'answer':
        this.events.onIntroduction(this, message)
        return
      case 'reply':
        return this.onReply(message.infoHash, message.reply)
      case 'scrape':
        return this.onScrape(message.files)
      case 'failure':
        return this.onFailure(message.infoHash, message.message)
    }
  }

  private onReply(infoHash: string, reply: AnnounceReply): void {
    const { state } = this
    const pending = this.findPending((each) => each.kind === 'announce' && each.infoHash === infoHash)
    if (pending === null || state.name !== 'open') return
    this.pending.delete(pending)
    pending.done({ ...reply, trackerAddress: state.address })
  }

  private onScrape(files: ReadonlyMap<string, ScrapeReply>): void {
    const pending = this.findPending((each) => each.kind === 'scrape')
    if (pending === null) return
    this.pending.delete(pending)
    const error = libtorrentError('invalidTrackerResponse', TRACKER)
    pending.done(files.get(pending.infoHash) ?? trackerFailure(error))
  }

  private onFailure(infoHash: string | null, message: string): void {
    const pending = this.findPending((each) => infoHash === null || each.infoHash === infoHash)
    if (pending === null) return
    this.pending.delete(pending)
    pending.done(trackerFailure(libtorrentError('trackerFailure', TRACKER), message))
  }

  private findPending(which: (pending: Pending) => boolean): Pending | null {
    for (const pending of this.pending) if (which(pending)) return pending
    return null
  }

  private failure(error: LibtorrentError): TrackerFailure {
    return trackerFailure(error, '', Math.ceil(this.restLeft / 1000))
  }

  private fail(error: LibtorrentError): void {
    const { state } = this
    if (state.name === 'connecting' || state.name === 'open') state.socket.close()
    this.onClosed(error)
  }

  private get isUsed(): boolean {
    return this.users > 0 || this.joined.size > 0 || this.pending.size > 0
  }

  /** The last words to a tracker, an answer or `stopped`, have a moment to leave. */
  private leaveIfUnused(): void {
    this.leaving?.cancel()
    this.leaving = null
    if (this.isUsed || this.state.name === 'closed') return
    this.leaving = this.host.platform.timers.after(Math.max(LINGER_MS, this.restLeft * MEMORY_RESTS), () => {
      this.close()
      this.events.onUnused(this)
    })
  }
}

const TRACKER = { operation: 'tracker' } as const
