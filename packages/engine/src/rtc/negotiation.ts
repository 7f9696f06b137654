import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Timer, Timers } from '../platform/clock.ts'
import type { DataChannel, RtcPeer, RtcPeerHandler, RtcPeerOptions, WebRtc } from '../platform/webRtc.ts'
import type { Millis } from '../util/flavored.ts'

/** Candidates are looked for no longer than this: a STUN server that is silent is not waited for. */
const GATHERING_MS: Millis = 3000

export interface NegotiationHost {
  readonly timers: Timers
  readonly webRtc: WebRtc
  readonly options: RtcPeerOptions
}

/** Told of one negotiation. `onChannel` and `onEnded` are the end of it, and only one of them comes. */
export interface NegotiationHandler {
  /** Our description, to be given to the other side. */
  onDescription(sdp: string): void
  onChannel(channel: DataChannel): void
  onEnded(error: LibtorrentError | null): void
}

/** One WebRTC connection on its way, from our offer or somebody else's until its data channel stands or time is over. */
export class Negotiation implements RtcPeerHandler {
  private readonly peer: RtcPeer
  private gathering: Timer | null
  private deadline: Timer
  private isOver = false

  constructor(
    private readonly host: NegotiationHost,
    private readonly handler: NegotiationHandler,
    timeout: Millis,
  ) {
    this.peer = host.webRtc.newPeer(host.options, this)
    this.deadline = host.timers.after(timeout, () => this.end(null))
    this.gathering = host.timers.after(GATHERING_MS, () => this.describe())
  }

  /** Begins with an offer of ours; `onDescription` follows. */
  offer(): void {
    this.peer.offer()
  }

  /** Begins with somebody else's; the same. False: that is none. */
  answer(sdp: string): boolean {
    return this.peer.answer(sdp) === null
  }

  /** The answer to our offer, which has `timeout` ms from now. False: that is none. */
  accept(sdp: string, timeout: Millis): boolean {
    this.deadline.cancel()
    this.deadline = this.host.timers.after(timeout, () => this.end(null))
    return this.peer.accept(sdp) === null
  }

  /** Without a word to the handler. */
  close(): void {
    if (this.isOver) return
    this.release()
    this.peer.close()
  }

  onDescription(sdp: string): void {
    if (this.gathering === null || this.isOver) return
    this.gathering.cancel()
    this.gathering = null
    this.handler.onDescription(sdp)
  }

  onChannel(channel: DataChannel): void {
    if (this.isOver) return channel.close()
    this.release()
    this.handler.onChannel(channel)
  }

  onFailed(error: LibtorrentError): void {
    this.end(error)
  }

  /** Time to go on with the candidates there are. */
  private describe(): void {
    const sdp = this.peer.description()
    if (sdp === null) this.end(null)
    else this.onDescription(sdp)
  }

  private end(error: LibtorrentError | null): void {
    if (this.isOver) return
    this.close()
    this.handler.onEnded(error)
  }

  private release(): void {
    this.isOver = true
    this.deadline.cancel()
    this.gathering?.cancel()
    this.gathering = null
  }
}
