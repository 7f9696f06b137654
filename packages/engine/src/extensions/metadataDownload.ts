import type { Random } from '../platform/random.ts'
import { concatBytes } from '../util/bytes.ts'
import type { Millis } from '../util/flavored.ts'
import { METADATA_PIECE_SIZE } from '../wire/utMetadataMessage.ts'

/** Requests a peer is given at a time. */
const MAX_OUTSTANDING = 2
/** A piece is asked of someone else after this long without an answer. */
const REREQUEST_MS = 3000
/** A peer that has not answered for this long is left alone for a while: the piece timeout of the setting's default. */
const ANSWER_TIMEOUT_MS = 20_000
/** How long a peer that rejected, stayed silent or sent nonsense is left alone. */
const PAUSE_MS = 60_000
/** With each reject in a row the pause is twice as long, this often. */
const MAX_DOUBLINGS = 2
/** How long the only sender of wrong metadata is, at least, and by how much chance prolongs it, in whole seconds. */
const DISTRUST_MS = 5 * 60_000
const DISTRUST_MIN_EXTRA_S = 20
const DISTRUST_MAX_EXTRA_S = 70
/** How long a size is worked on at first, while others are claimed. */
const FIRST_ATTEMPT_MS = 30_000
/** How long the first turn of a peer that is to send everything lasts, while others could. */
const TURN_MS = 30_000
/** Sizes whose attempts are remembered. */
const MAX_SIZES = 1000
/** Liars that are remembered. */
const MAX_LIARS = 1000

export interface MetadataSourceOptions {
  /** Requests it is given at a time. Default 2. */
  readonly maxOutstanding?: number
  /** Whom to know again who comes back: its address. Default: nobody. */
  readonly key?: string
}

interface Source<P> {
  readonly peer: P
  readonly maxOutstanding: number
  readonly key: string
  /** What the peer says the info section measures, 0 if it did not say. */
  size: number
  /** Pieces asked for, oldest first, and when. */
  readonly asked: { readonly piece: number; readonly at: Millis }[]
  pausedUntil: Millis
  /** In a row. */
  rejects: number
  /** How often it was the only one to send. */
  turns: number
}

interface Piece<P> {
  requests: number
  /** Who was asked last, of those who said that they have the metadata, and when. */
  askedOf: Source<P> | null
  askedAt: Millis
  data: Uint8Array | null
  from: Source<P> | null
}

/**
 * The info section on its way in from several peers (BEP 9): which piece to ask of whom, and whom to believe.
 * Pure state; the owner sends the requests, reports the answers and checks the hash.
 *
 * Peers may disagree about the size. One size is worked on at a time, that of most peers who are not paused, so memory
 * is bounded by what really arrived of one info section. When the hash fails and several peers sent parts, nobody is known to be at fault: from then on one peer at a time
 * sends everything, until the metadata is good or its sender is known to lie.
 */
export class MetadataDownload<P extends object> {
  private readonly sources = new Map<P, Source<P>>()
  private size = 0
  private startedAt: Millis = 0
  /** How often each size was worked on. */
  private readonly attempts = new Map<number, number>()
  private pieces: Piece<P>[] = []
  private missing = 0
  private oneAtATime = false
  private only: Source<P> | null = null
  /** Until when those who lied are left alone, by their keys: to come back does not help. */
  private readonly liars = new Map<string, Millis>()

  /** `maxSize`: setting `max_metadata_size`, in bytes; larger claims are not believed. */
  constructor(
    private readonly maxSize: number,
    private readonly random: Random,
  ) {}

  /** Size that is being worked on, 0 while unknown. */
  get expectedSize(): number {
    return this.size
  }

  /** Bytes of it that are there. */
  get receivedBytes(): number {
    return this.pieces.reduce((sum, piece) => sum + (piece.data?.length ?? 0), 0)
  }

  /** A peer can be asked; `size` is its `metadata_size`, 0 if it gave none. Again after another handshake. */
  addPeer(peer: P, size: number, options: MetadataSourceOptions = {}): void {
    const { maxOutstanding = MAX_OUTSTANDING, key = '' } = options
    const pausedUntil = this.liars.get(key) ?? 0
    const known = this.sources.get(peer)
    if (known === undefined) {
      this.sources.set(peer, { peer, maxOutstanding, key, size, asked: [], pausedUntil, rejects: 0, turns: 0 })
      return
    }
    // Who refused because it had nothing, and has something now, need not be waited for.
    if (size > 0 && known.size === 0 && known.rejects > 0) {
      known.rejects = 0
      known.pausedUntil = pausedUntil
    }
    known.size = size
  }

  removePeer(peer: P): void {
    const source = this.sources.get(peer)
    if (source === undefined) return
    this.sources.delete(peer)
    this.forgetRequests(source)
  }

  /**
   * The piece to ask `peer` for now, or null. To be called until null when a peer is added, when it has answered,
   * and once a second.
   */
  nextRequest(peer: P, now: Millis): number | null {
    const source = this.sources.get(peer)
    if (source === undefined) return null
    if (source.asked.length > 0 && now - source.asked[0].at >= ANSWER_TIMEOUT_MS) this.pause(source, now + PAUSE_MS)
    if (now < source.pausedUntil) return null
    this.chooseSize(now)
    if (!this.isWanted(source, now)) return null
    const piece = this.leastRequested(source, now)
    if (piece === null) return null
    const entry = this.pieces[piece]
    entry.requests++
    // Asking those who have not claimed to have it must not keep others from being asked.
    if (source.size > 0) {
      entry.askedOf = source
      entry.askedAt = now
    }
    source.asked.push({ piece, at: now })
    return piece
  }

  /** The peer rejected a request. */
  onReject(peer: P, piece: number, now: Millis): void {
    const source = this.sources.get(peer)
    if (source === undefined || !this.takeAsked(source, piece)) return
    this.pause(source, now + PAUSE_MS * 2 ** Math.min(source.rejects, MAX_DOUBLINGS))
    source.rejects++
  }

  /** The peer answered a request by telling only how large the info section is, 1 to the limit. */
  onSize(peer: P, piece: number, totalSize: number, now: Millis): void {
    const source = this.sources.get(peer)
    if (source === undefined || !this.takeAsked(source, piece)) return
    source.size = totalSize
    source.rejects = 0
    if (this.size === 0) this.workOn(totalSize, now)
  }

  /**
   * The peer sent a piece; `data` is copied. Returns the whole info section when that was the last one: the caller
   * checks its hash, and calls `onHashFailed` if it is wrong. What was not asked for is ignored.
   */
  onData(peer: P, piece: number, totalSize: number, data: Uint8Array, now: Millis): Uint8Array | null {
    const source = this.sources.get(peer)
    if (source === undefined || !this.takeAsked(source, piece)) return null
    if (totalSize <= 0 || totalSize > this.maxSize) {
      this.pause(source, now + PAUSE_MS)
      return null
    }
    source.size = totalSize
    source.rejects = 0
    if (this.size === 0) this.workOn(totalSize, now)
    // Not what is being worked on: the peer counts for its size from now on.
    if (totalSize !== this.size || piece >= this.pieces.length) return null
    if (data.length !== this.pieceSize(piece)) {
      this.pause(source, now + PAUSE_MS)
      return null
    }
    const entry = this.pieces[piece]
    if (entry.data !== null) return null
    entry.data = new Uint8Array(data)
    entry.from = source
    this.missing--
    return this.missing === 0 ? concatBytes(...this.pieces.map((each) => each.data!)) : null
  }

  /**
   * The metadata was not what the info-hash says: it is dropped and fetched anew. Returns the peer at fault if it is
   * known, which is when it sent all of it; it is not asked again for more than five minutes.
   */
  onHashFailed(now: Millis): P | null {
    const senders = new Set(this.pieces.map((piece) => piece.from))
    const [sender] = senders
    const liar = senders.size === 1 ? sender : null
    if (liar !== null) {
      const extra = DISTRUST_MIN_EXTRA_S + this.random.below(DISTRUST_MAX_EXTRA_S - DISTRUST_MIN_EXTRA_S + 1)
      const until = now + DISTRUST_MS + extra * 1000
      this.pause(liar, until)
      this.remember(liar.key, until, now)
    }
    this.oneAtATime = true
    this.startOver(this.size, now)
    return liar?.peer ?? null
  }

  private remember(key: string, until: Millis, now: Millis): void {
    if (key === '') return
    for (const [other, end] of this.liars) if (end <= now) this.liars.delete(other)
    const [oldest] = this.liars.keys()
    if (this.liars.size >= MAX_LIARS) this.liars.delete(oldest)
    this.liars.set(key, until)
  }

  private pieceSize(piece: number): number {
    return Math.min(METADATA_PIECE_SIZE, this.size - piece * METADATA_PIECE_SIZE)
  }

  /** Whether `source` may be asked for the size that is being worked on. */
  private isWanted(source: Source<P>, now: Millis): boolean {
    if (source.asked.length >= source.maxOutstanding) return false
    if (source.size !== 0 && source.size !== this.size) return false
    if (!this.oneAtATime) return true
    if (this.only === null || !this.canServe(this.only, now) || now - this.startedAt >= this.only.turns * TURN_MS) {
      this.nextTurn(now)
    }
    return this.only === source
  }

  /** Lets another peer send everything: the one that had the fewest turns. Turns grow, so that a slow one can finish. */
  private nextTurn(now: Millis): void {
    let next: Source<P> | null = null
    for (const source of this.sources.values()) {
      if (this.canServe(source, now) && (next === null || source.turns < next.turns)) next = source
    }
    if (next === null || next === this.only) return
    next.turns++
    this.only = next
    // What another has sent must not be mixed with what this one sends.
    this.startOver(this.size, now)
  }

  /** Whether `source` can send everything of the size that is being worked on. */
  private canServe(source: Source<P>, now: Millis): boolean {
    const isHere = this.sources.get(source.peer) === source
    return isHere && now >= source.pausedUntil && (source.size === 0 || source.size === this.size)
  }

  /** The piece that is missing and was asked for least often, unless it is on its way from someone. */
  private leastRequested(source: Source<P>, now: Millis): number | null {
    let best = -1
    for (let i = 0; i < this.pieces.length; i++) {
      const piece = this.pieces[i]
      if (piece.data !== null || source.asked.some((asked) => asked.piece === i)) continue
      if (piece.askedOf !== null && now - piece.askedAt < REREQUEST_MS) continue
      if (best === -1 || piece.requests < this.pieces[best].requests) best = i
    }
    return best === -1 ? null : best
  }

  /**
   * Settles which size is worked on: what most peers claim, less by the number of times it came to nothing before.
   * It is kept while any peer that claims it can be asked, for a time that grows with each attempt: so neither can
   * those who answer slowly hold up the rest for ever, nor is a slow but honest peer always interrupted.
   */
  private chooseSize(now: Millis): void {
    const votes = new Map<number, number>()
    for (const source of this.sources.values()) {
      if (source.size <= 0 || source.size > this.maxSize || now < source.pausedUntil) continue
      votes.set(source.size, (votes.get(source.size) ?? 0) + 1)
    }
    const patience = FIRST_ATTEMPT_MS * (this.attempts.get(this.size) ?? 0)
    if (votes.has(this.size) && now - this.startedAt < patience) return
    let best = this.size
    let bestScore = this.score(this.size, votes.get(this.size) ?? 0)
    for (const [size, count] of votes) {
      const score = this.score(size, count)
      if (score <= bestScore) continue
      best = size
      bestScore = score
    }
    if (best !== this.size) this.workOn(best, now)
    // Nobody said: the first piece, asked of anyone, will tell.
    else if (this.pieces.length === 0) this.pieces = [newPiece()]
  }

  private score(size: number, votes: number): number {
    return votes / (1 + (this.attempts.get(size) ?? 0))
  }

  private workOn(size: number, now: Millis): void {
    if (this.attempts.size >= MAX_SIZES) this.attempts.clear()
    this.attempts.set(size, (this.attempts.get(size) ?? 0) + 1)
    this.startOver(size, now)
  }

  private startOver(size: number, now: Millis): void {
    this.size = size
    this.startedAt = now
    this.missing = Math.ceil(size / METADATA_PIECE_SIZE)
    this.pieces = Array.from({ length: this.missing }, newPiece<P>)
    for (const source of this.sources.values()) source.asked.length = 0
  }

  private pause(source: Source<P>, until: Millis): void {
    source.pausedUntil = Math.max(source.pausedUntil, until)
    this.forgetRequests(source)
  }

  /** What was asked of `source` may be asked of others at once. */
  private forgetRequests(source: Source<P>): void {
    source.asked.length = 0
    for (const piece of this.pieces) if (piece.askedOf === source) piece.askedOf = null
  }

  private takeAsked(source: Source<P>, piece: number): boolean {
    const index = source.asked.findIndex((asked) => asked.piece === piece)
    if (index === -1) return false
    source.asked.splice(index, 1)
    return true
  }
}

function newPiece<P>(): Piece<P> {
  return { requests: 0, askedOf: null, askedAt: 0, data: null, from: null }
}
