import { chooseUnchoked, type UnchokeRules } from '../choking/chooseUnchoked.ts'
import { chooseOptimisticUnchokes } from '../choking/optimisticUnchoke.ts'
import type { UnchokeCandidate, UnchokeTorrent } from '../choking/unchokeCandidate.ts'
import type { PeerConnection } from '../peer/peerConnection.ts'
import { ChokingAlgorithm } from '../settings/settingEnums.ts'
import type { Settings } from '../settings/settings.ts'
import type { Torrent } from '../torrent/torrent.ts'
import type { Millis } from '../util/flavored.ts'

export interface UnchokerHost {
  readonly settings: Readonly<Settings>
  /** Bytes a second, headers included. */
  readonly stats: { readonly uploadRate: number }
  readonly bandwidth: {
    /** Upload limit of the session, 0 for none. */
    limit(direction: 'upload'): number
    /** `queueSize`: peers waiting for quota. */
    readonly upload: { readonly queueSize: number }
  }
  activeTorrents(): Iterable<Torrent>
}

/** More than this part of the upload limit in use is all of it (libtorrent). */
const USED_PART = 0.9

/** Decides which peers of all torrents we send to: unchoke rounds, optimistic unchokes, free slots given away at once. */
export class Unchoker {
  /** Upload slots in use. */
  private numUnchoked = 0
  /** Slots the last round allowed. */
  allowedUploadSlots: number
  private lastRound: Millis = 0
  private lastOptimistic: Millis = 0
  /** Unchoked peers of each torrent that has some. */
  private readonly unchokedOf = new Map<Torrent, number>()
  /** Unchoked without a slot: peers of the local network (`ignore_limits_on_local_network`). */
  private readonly exempt = new Set<PeerConnection>()
  /** Interested in us, and choked; who has waited longest comes first. */
  private readonly waiting = new Map<PeerConnection, Torrent>()

  constructor(private readonly host: UnchokerHost) {
    this.allowedUploadSlots = slotLimit(host.settings)
  }

  /** Peers that are unchoked now, those among them that need no slot. */
  get numUploads(): number {
    return this.numUnchoked + this.exempt.size
  }

  /** Seconds until the next regular and optimistic rounds, as `session_status` shows them. */
  unchokeCounter(now: Millis): number {
    return Math.max(0, Math.ceil(this.host.settings.unchokeInterval - (now - this.lastRound) / 1000))
  }

  optimisticCounter(now: Millis): number {
    const interval = this.host.settings.optimisticUnchokeInterval
    return Math.max(0, Math.ceil(interval - Math.min(interval, (now - this.lastOptimistic) / 1000)))
  }

  /** A free slot goes to whoever asks first; a slot of someone who wants nothing more is free. */
  onInterestChanged(torrent: Torrent, peer: PeerConnection): void {
    if (!peer.isPeerInterested) {
      this.waiting.delete(peer)
      if (this.choke(torrent, peer)) this.giveFreeSlot()
    } else if (this.isExempt(peer)) {
      this.unchokeExempt(torrent, peer)
    } else if (this.hasFreeSlot(torrent)) {
      this.unchoke(torrent, peer)
    } else if (peer.upload.isChoked) {
      this.waiting.set(peer, torrent)
    }
  }

  onClosed(torrent: Torrent, peer: PeerConnection): void {
    this.waiting.delete(peer)
    if (this.exempt.delete(peer) || peer.upload.isChoked) return
    if (peer.isOptimisticUnchoke) this.lastOptimistic = Number.NEGATIVE_INFINITY
    this.count(torrent, -1)
    this.giveFreeSlot()
  }

  /** Once a second. */
  tick(now: Millis): void {
    const { settings } = this.host
    this.adjustSlots()
    if (now - this.lastRound >= settings.unchokeInterval * 1000) this.regularRound(now)
    if (now - this.lastOptimistic >= settings.optimisticUnchokeInterval * 1000) this.optimisticRound(now)
  }

  /** With `auto_expand_choker` there are as many slots as the upload limit is good for (manual, auto_upload_slots). */
  private adjustSlots(): void {
    const { settings, bandwidth, stats } = this.host
    if (settings.chokingAlgorithm !== ChokingAlgorithm.autoExpandChoker) return
    const atLeast = slotLimit(settings)
    const limit = bandwidth.limit('upload')
    const waiting = bandwidth.upload.queueSize
    if (limit === 0 || this.allowedUploadSlots < atLeast) this.allowedUploadSlots = atLeast
    else if (waiting > 1) this.allowedUploadSlots = Math.max(atLeast, this.allowedUploadSlots - 1)
    else if (stats.uploadRate < limit * USED_PART && this.allowedUploadSlots <= this.numUnchoked + 1) {
      this.allowedUploadSlots++
      this.giveFreeSlot()
    }
  }

  private isExempt({ bandwidth }: PeerConnection): boolean {
    return bandwidth.isLocal && this.host.settings.ignoreLimitsOnLocalNetwork
  }

  private get isSlotFree(): boolean {
    return this.numUnchoked < Math.max(slotLimit(this.host.settings), this.allowedUploadSlots)
  }

  private hasFreeSlot(torrent: Torrent): boolean {
    if (!this.isSlotFree) return false
    return torrent.maxUploads < 0 || (this.unchokedOf.get(torrent) ?? 0) < torrent.maxUploads
  }

  private giveFreeSlot(): void {
    if (!this.isSlotFree) return
    for (const [peer, torrent] of this.waiting) if (this.hasFreeSlot(torrent)) return this.unchoke(torrent, peer)
  }

  private regularRound(now: Millis): void {
    const candidates = this.candidates()
    const round = chooseUnchoked(candidates, this.rules(), Math.max(1, now - this.lastRound), now)
    this.lastRound = now
    this.allowedUploadSlots = Math.min(round.slots, Number.MAX_SAFE_INTEGER)
    for (const candidate of candidates) {
      const { peer } = candidate
      if (round.unchoked.has(candidate)) {
        // An optimistic unchoke that earned a regular slot leaves its own to the next one, at once.
        if (peer.isOptimisticUnchoke) this.lastOptimistic = Number.NEGATIVE_INFINITY
        peer.isOptimisticUnchoke = false
        this.unchoke(candidate.owner, peer)
      } else if (!peer.isOptimisticUnchoke) {
        this.choke(candidate.owner, peer)
      }
      peer.downloadedAtRound = peer.stats.totalPayloadDownload
      peer.uploadedAtRound = peer.stats.totalPayloadUpload
    }
  }

  private rules(): UnchokeRules {
    const { settings } = this.host
    if (settings.chokingAlgorithm !== ChokingAlgorithm.autoExpandChoker) return settings
    const isUnlimited = this.allowedUploadSlots === Number.MAX_SAFE_INTEGER
    return { ...settings, unchokeSlotsLimit: isUnlimited ? -1 : this.allowedUploadSlots }
  }

  private optimisticRound(now: Millis): void {
    this.lastOptimistic = now
    const candidates = this.candidates()
    const chosen = new Set(
      chooseOptimisticUnchokes(
        candidates,
        this.allowedUploadSlots === Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : this.allowedUploadSlots,
        this.host.settings.numOptimisticUnchokeSlots,
      ),
    )
    for (const candidate of candidates) {
      const { peer } = candidate
      if (chosen.has(candidate)) {
        if (peer.entry !== null) peer.entry.lastOptimisticallyUnchoked = now
        this.unchoke(candidate.owner, peer)
        peer.isOptimisticUnchoke = true
      } else if (peer.isOptimisticUnchoke) {
        this.choke(candidate.owner, peer)
      }
    }
  }

  /** False when it was choked already. */
  private choke(torrent: Torrent, peer: PeerConnection): boolean {
    if (peer.upload.isChoked) return false
    peer.chokePeer()
    if (!this.exempt.delete(peer)) this.count(torrent, -1)
    if (peer.isPeerInterested) this.waiting.set(peer, torrent)
    return true
  }

  private unchoke(torrent: Torrent, peer: PeerConnection): void {
    if (!peer.upload.isChoked || !peer.isReady) return
    this.waiting.delete(peer)
    torrent.suggester.onUnchoke(peer)
    torrent.ratioKeeper.apply(peer)
    peer.unchokePeer()
    this.count(torrent, 1)
  }

  private unchokeExempt(torrent: Torrent, peer: PeerConnection): void {
    if (!peer.upload.isChoked || !peer.isReady) return
    this.unchoke(torrent, peer)
    this.exempt.add(peer)
    this.count(torrent, -1)
  }

  /** The setting has changed: who needed no slot takes one, until the round decides, and the other way round. */
  private reviewExemption(torrent: Torrent, peer: PeerConnection): boolean {
    const isExempt = this.isExempt(peer)
    if (isExempt === this.exempt.has(peer)) return isExempt
    if (!isExempt) {
      this.exempt.delete(peer)
      this.count(torrent, 1)
    } else if (peer.upload.isChoked) {
      this.unchokeExempt(torrent, peer)
    } else {
      peer.isOptimisticUnchoke = false
      this.exempt.add(peer)
      this.count(torrent, -1)
    }
    return isExempt
  }

  private count(torrent: Torrent, change: 1 | -1): void {
    this.numUnchoked += change
    const unchoked = (this.unchokedOf.get(torrent) ?? 0) + change
    if (unchoked === 0) this.unchokedOf.delete(torrent)
    else this.unchokedOf.set(torrent, unchoked)
  }

  private candidates(): Candidate[] {
    const candidates: Candidate[] = []
    for (const torrent of this.host.activeTorrents()) {
      const shared = describe(torrent)
      for (const peer of torrent.swarm.connections) {
        if (!peer.isReady) continue
        if (!peer.isPeerInterested) this.choke(torrent, peer)
        else if (!this.reviewExemption(torrent, peer)) candidates.push(new Candidate(peer, torrent, shared))
      }
    }
    return candidates
  }
}

class Candidate implements UnchokeCandidate {
  readonly uploadPriority = 1

  constructor(
    readonly peer: PeerConnection,
    readonly owner: Torrent,
    readonly torrent: UnchokeTorrent,
  ) {}

  get isChoked(): boolean {
    return this.peer.upload.isChoked
  }

  get isOptimisticallyUnchoked(): boolean {
    return this.peer.isOptimisticUnchoke
  }

  get downloadedInLastRound(): number {
    return this.peer.stats.totalPayloadDownload - this.peer.downloadedAtRound
  }

  get uploadedInLastRound(): number {
    return this.peer.stats.totalPayloadUpload - this.peer.uploadedAtRound
  }

  get uploadedSinceUnchoked(): number {
    return this.peer.stats.totalPayloadUpload - this.peer.uploadedAtUnchoke
  }

  get totalPayloadUpload(): number {
    return this.peer.stats.totalPayloadUpload
  }

  get numHavePieces(): number {
    return this.peer.pieces.count
  }

  get lastUnchoked(): Millis {
    return this.peer.lastUnchoked
  }

  get lastOptimisticallyUnchoked(): Millis {
    return this.peer.entry?.lastOptimisticallyUnchoked ?? 0
  }
}

function describe(torrent: Torrent): UnchokeTorrent {
  return {
    pieceLength: torrent.layout?.pieceLength ?? 0,
    totalSize: torrent.layout?.totalSize ?? 0,
    maxUploads: torrent.maxUploads,
  }
}

function slotLimit(settings: Readonly<Settings>): number {
  return settings.unchokeSlotsLimit < 0 ? Number.MAX_SAFE_INTEGER : settings.unchokeSlotsLimit
}
