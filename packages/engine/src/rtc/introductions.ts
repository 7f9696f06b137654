import type { DataChannel, WebRtc } from '../platform/webRtc.ts'
import { latin1 } from '../util/bytes.ts'
import type { Millis } from '../util/flavored.ts'
import { DataChannelStream } from './dataChannelStream.ts'
import { Negotiation, type NegotiationHandler } from './negotiation.ts'
import { ReceiveBudget } from './receiveBudget.ts'
import { cleanDescription, isDialable } from './remoteDescription.ts'
import type { RtcHost } from './rtcHost.ts'
import { answerText, type RtcOffer, type WebTrackerMessage } from './webTrackerMessages.ts'

/** Connections on their way at once, over all torrents: each has a socket and a few hundred KB. */
const MAX_UNDER_WAY = 200
/** Of these, ours: offers must not keep out those who offer to us. */
const MAX_OFFERED = 100
/** Of these, introduced by one tracker. */
const MAX_FROM_TRACKER = 50
/** An announce gets this part of the offers that are left, so that the first torrents do not take them all. */
const OFFER_SHARE = 4
/** Trackers pass offers on at once: nobody answers later than this (WebTorrent). */
const ANSWER_MS: Millis = 50_000

/** The tracker a peer was introduced by. */
export interface Introducer {
  send(text: string): void
}

type Introduction = Extract<WebTrackerMessage, { kind: 'offer' | 'answer' }>

interface Entry {
  readonly infoHash: string
  readonly offerId: string
  readonly by: Introducer
  readonly isOurs: boolean
  readonly negotiation: Negotiation
  /** Who it is with, as the tracker says; null: nobody has answered our offer yet. */
  peerId: string | null
}

/**
 * The WebRTC connections that are being made. The trackers are strangers, and so are those they introduce: what they can
 * make us do is limited here, for each torrent, for each tracker and in all.
 */
export class Introductions {
  /** By info-hash and offer id. */
  private readonly entries = new Map<string, Entry>()
  private readonly budget = new ReceiveBudget()
  private readonly ourPeerId: string

  constructor(
    private readonly host: RtcHost,
    private readonly webRtc: WebRtc,
  ) {
    this.ourPeerId = latin1(host.peerId)
  }

  /** Connections on their way. */
  get size(): number {
    return this.entries.size
  }

  /**
   * Makes offers for an announce, up to `wanted`; `done` is called once, later, with those that came about. Gives how to
   * stop that.
   */
  makeOffers(infoHash: string, by: Introducer, wanted: number, done: (offers: RtcOffer[]) => void): () => void {
    const count = Math.min(wanted, this.offersLeft(infoHash))
    const offers: RtcOffer[] = []
    let pending = count
    const settle = () => {
      if (--pending === 0) done(offers)
    }
    if (count <= 0) {
      const timer = this.host.platform.timers.after(0, () => done(offers))
      return () => timer.cancel()
    }
    for (let i = 0; i < count; i++) {
      const offerId = latin1(this.host.platform.random.bytes(20))
      let isSettled = false
      const settleOnce = () => {
        if (!isSettled) settle()
        isSettled = true
      }
      const entry = this.open({ infoHash, offerId, by, isOurs: true, peerId: null }, ANSWER_MS + TIME_TO_ANNOUNCE_MS, {
        onDescription: (sdp) => {
          offers.push({ offerId, sdp })
          settleOnce()
        },
        onEnded: settleOnce,
      })
      entry.negotiation.offer()
    }
    return () => {
      pending = Number.POSITIVE_INFINITY
    }
  }

  private offersLeft(infoHash: string): number {
    if (!this.host.wantsPeer(infoHash, true)) return 0
    const ours = this.count((entry) => entry.isOurs)
    const left = Math.min(MAX_OFFERED - ours, MAX_UNDER_WAY - this.entries.size)
    const ofTorrent = this.count((entry) => entry.isOurs && entry.infoHash === infoHash)
    const { maxWebtorrentOffers } = this.host.settings
    return Math.min(Math.ceil(left / OFFER_SHARE), maxWebtorrentOffers, 2 * maxWebtorrentOffers - ofTorrent)
  }

  /** Somebody offers us a connection. */
  onOffer(by: Introducer, offer: Introduction): void {
    const { infoHash, offerId, peerId } = offer
    if (peerId === this.ourPeerId || this.entries.has(infoHash + offerId) || !this.hasRoomFor(by, infoHash)) return
    if (!this.host.wantsPeer(infoHash, false) || this.knows(infoHash, peerId)) return
    const sdp = this.clean(infoHash, offer.sdp)
    if (sdp === null) return
    const entry = this.open({ infoHash, offerId, by, isOurs: false, peerId }, this.timeout, {
      onDescription: (answer) => by.send(answerText(offer, this.host.peerId, answer)),
      onEnded: () => {},
    })
    if (!entry.negotiation.answer(sdp)) this.drop(entry)
  }

  /** Somebody answers an offer of ours. Only the first to do so counts. */
  onAnswer(by: Introducer, { infoHash, offerId, peerId, sdp }: Introduction): void {
    const entry = this.entries.get(infoHash + offerId)
    if (entry === undefined || !entry.isOurs || entry.by !== by || entry.peerId !== null) return
    if (peerId === this.ourPeerId) return
    const description = this.clean(infoHash, sdp)
    if (description === null || this.host.hasPeer(infoHash, peerId) || !this.host.wantsPeer(infoHash, true)) {
      return this.drop(entry)
    }
    const other = this.withPeer(infoHash, peerId)
    if (other !== null) {
      // Both offered at the same time, and each has answered the other: both keep the offer of the lower peer id.
      if (other.isOurs || peerId < this.ourPeerId) return this.drop(entry)
      this.drop(other)
    }
    entry.peerId = peerId
    if (!entry.negotiation.accept(description, this.timeout)) this.drop(entry)
  }

  /** Drops what is on its way for a torrent. `by`: what one tracker has introduced. */
  forget(infoHash: string, by?: Introducer): void {
    for (const entry of this.entries.values()) {
      if (entry.infoHash === infoHash && (by === undefined || entry.by === by)) this.drop(entry)
    }
  }

  close(): void {
    for (const entry of this.entries.values()) this.drop(entry)
  }

  private get timeout(): Millis {
    return this.host.settings.webtorrentConnectionTimeout * 1000
  }

  private hasRoomFor(by: Introducer, infoHash: string): boolean {
    if (this.entries.size >= MAX_UNDER_WAY) return false
    if (this.count((entry) => !entry.isOurs && entry.by === by) >= MAX_FROM_TRACKER) return false
    const ofTorrent = this.count((entry) => !entry.isOurs && entry.infoHash === infoHash)
    return ofTorrent < this.host.settings.maxWebtorrentOffers
  }

  /** We are connected to this peer, or about to be. */
  private knows(infoHash: string, peerId: string): boolean {
    return this.host.hasPeer(infoHash, peerId) || this.withPeer(infoHash, peerId) !== null
  }

  /** A connection on its way to this peer. */
  private withPeer(infoHash: string, peerId: string): Entry | null {
    for (const entry of this.entries.values()) {
      if (entry.infoHash === infoHash && entry.peerId === peerId) return entry
    }
    return null
  }

  /** At most `MAX_UNDER_WAY` are looked at. */
  private count(which: (entry: Entry) => boolean): number {
    let count = 0
    for (const entry of this.entries.values()) if (which(entry)) count++
    return count
  }

  private clean(infoHash: string, sdp: string): string | null {
    const { boundAddress } = this.host
    return cleanDescription(
      sdp,
      (address) => isDialable(address, boundAddress) && this.host.acceptsPeer(infoHash, address),
    )
  }

  private open(
    fields: Omit<Entry, 'negotiation'>,
    timeout: Millis,
    handler: Pick<NegotiationHandler, 'onDescription' | 'onEnded'>,
  ): Entry {
    const { platform, settings, boundAddress } = this.host
    const options = { stunServer: settings.webtorrentStunServer, localAddress: boundAddress }
    const negotiation = new Negotiation(
      { timers: platform.timers, webRtc: this.webRtc, options },
      {
        onDescription: handler.onDescription,
        onChannel: (channel) => this.onChannel(entry, channel),
        onEnded: (error) => {
          this.entries.delete(keyOf(entry))
          handler.onEnded(error)
        },
      },
      timeout,
    )
    const entry: Entry = { ...fields, negotiation }
    this.entries.set(keyOf(entry), entry)
    return entry
  }

  private onChannel(entry: Entry, channel: DataChannel): void {
    this.entries.delete(keyOf(entry))
    const { infoHash, isOurs } = entry
    // The address is one that the peer came from, whatever its description said.
    if (!this.host.acceptsPeer(infoHash, channel.remote.address)) return channel.close()
    this.host.onStream(infoHash, new DataChannelStream(channel, this.budget), isOurs)
  }

  private drop(entry: Entry): void {
    this.entries.delete(keyOf(entry))
    entry.negotiation.close()
  }
}

/** An announce may wait this long for its offers, and for the tracker. */
const TIME_TO_ANNOUNCE_MS: Millis = 5000

function keyOf({ infoHash, offerId }: Entry): string {
  return infoHash + offerId
}
