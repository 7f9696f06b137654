import { normalizeAddress } from '../address/addressBytes.ts'
import { type Endpoint, isV6, sameEndpoint } from '../address/endpoint.ts'
import { LibtorrentError, type LibtorrentErrorCode, libtorrentError } from '../errors/libtorrentError.ts'
import type { Timer } from '../platform/clock.ts'
import type { Platform } from '../platform/platform.ts'
import type { Millis, Seconds } from '../util/flavored.ts'
import { noRouteError } from './trackerErrors.ts'
import type { TrackerLocation } from './trackerLocation.ts'
import {
  type AnnounceReply,
  type ScrapeReply,
  type TrackerFailure,
  type TrackerQuery,
  type TrackerRequest,
  trackerFailure,
} from './trackerRequest.ts'
import { type TrackerSettings, timeoutOf } from './trackerSettings.ts'
import {
  type ConnectionId,
  encodeUdpAnnounce,
  encodeUdpConnect,
  encodeUdpScrape,
  type UdpResponse,
} from './udpMessages.ts'

/** UDP trackers have no minimum interval of their own; libtorrent takes a minute. */
const UDP_MIN_INTERVAL: Seconds = 60
/** A host name with more addresses than this is tried at the first ones. */
const MAX_ADDRESSES = 8
/** BEP 15: the n-th packet (from 0) waits 15 * 2^n seconds for its answer; n ends at 8. */
const FIRST_WAIT_MS: Millis = 15_000
const MAX_RETRANSMISSION = 8

/** How long the packet sent after `retransmissions` others waits for an answer (BEP 15, "Time outs"). */
export function udpWait(retransmissions: number): Millis {
  return FIRST_WAIT_MS * 2 ** Math.min(retransmissions, MAX_RETRANSMISSION)
}

/** What is asked of a tracker, and who wants to know. */
export type UdpQuestion =
  | {
      readonly action: 'announce'
      readonly request: TrackerRequest
      readonly done: (result: AnnounceReply | TrackerFailure) => void
      /** See `TrackerClient.announce`. */
      readonly sending: () => void
    }
  | {
      readonly action: 'scrape'
      readonly query: TrackerQuery
      readonly done: (result: ScrapeReply | TrackerFailure) => void
    }

export interface UdpExchangeHost {
  readonly platform: Pick<Platform, 'clock' | 'timers' | 'resolver'>
  readonly settings: Readonly<TrackerSettings>
  refuses(address: string, query: TrackerQuery): LibtorrentError | null
  /** Where no listen socket is named, the address to speak to a family from; null: not to be used. */
  localAddress(family: 4 | 6): string | null
  send(local: string, packet: Uint8Array, to: Endpoint, failed: (error: LibtorrentError) => void): void
  newTransaction(exchange: UdpExchange): number
  endTransaction(id: number): void
  connectionId(local: string, tracker: Endpoint): ConnectionId | null
  rememberConnectionId(local: string, tracker: Endpoint, id: ConnectionId): void
  forgetConnectionId(local: string, tracker: Endpoint): void
}

/** An address of the tracker, and ours to speak to it from. */
interface Target extends Endpoint {
  readonly local: string
}

/** A packet is on its way to `target`, its answer outstanding. */
interface Waiting {
  readonly name: 'waiting'
  readonly action: 'connect' | 'announce' | 'scrape'
  readonly target: Target
  readonly transactionId: number
  readonly retransmissions: number
  /** The connection id in use is older than this exchange: the tracker may have forgotten it. */
  readonly oldConnectionId: boolean
  readonly retransmitAt: Millis
}

type State = { readonly name: 'resolving'; readonly cancel: () => void } | Waiting | { readonly name: 'over' }

/**
 * One announce or scrape at a UDP tracker: looks its name up, then connects (unless a connection id is known) and asks,
 * at one address after the other until one answers. Packets are sent again after 15, 30, 60... seconds. The whole takes
 * no longer than `tracker_completion_timeout` (`stop_tracker_timeout` for `stopped`); an address that stays silent for
 * `tracker_receive_timeout` is left for the next one, if there is one.
 */
export class UdpExchange {
  private state: State = { name: 'over' }
  private targets: Target[] = []
  private timer: Timer | null = null
  private deadline: Millis = 0
  /** When the present address is given up for the next. */
  private switchAt: Millis = 0

  constructor(
    private readonly host: UdpExchangeHost,
    private readonly tracker: TrackerLocation,
    private readonly question: UdpQuestion,
  ) {}

  start(): void {
    this.deadline = this.now() + this.timeLimit()
    this.armTimer(this.deadline)
    const cancel = this.host.platform.resolver.resolve(this.tracker.host, (result) => {
      if (result instanceof LibtorrentError) this.finish(trackerFailure(result))
      else this.onResolved(result)
    })
    this.state = { name: 'resolving', cancel }
  }

  /** Ends the exchange; `done` is not called. */
  cancel(): void {
    this.timer?.cancel()
    this.timer = null
    if (this.state.name === 'resolving') this.state.cancel()
    if (this.state.name === 'waiting') this.host.endTransaction(this.state.transactionId)
    this.state = { name: 'over' }
  }

  /** A packet that bears our transaction id. Ignored unless it comes from where we sent to and answers what we sent. */
  onResponse(response: UdpResponse, from: Endpoint): void {
    const waiting = this.state
    // What a name stands for only the proxy knows: the transaction id has to do.
    if (waiting.name !== 'waiting' || !(isName(waiting.target.address) || sameEndpoint(from, waiting.target))) return
    if (response.kind === 'error') return this.onRefused(waiting, response.message)
    if (response.kind === 'malformed') return this.nextAddress(error('invalidTrackerResponseLength'))
    if (response.kind !== waiting.action) return
    switch (response.kind) {
      case 'connect':
        this.host.rememberConnectionId(waiting.target.local, waiting.target, response.connectionId)
        this.host.endTransaction(waiting.transactionId)
        this.extendSilence()
        return this.sendQuestion(waiting.target, response.connectionId, false)
      case 'announce':
        return this.finish({
          kind: 'reply',
          interval: response.interval,
          minInterval: UDP_MIN_INTERVAL,
          trackerId: '',
          warning: '',
          complete: response.complete,
          incomplete: response.incomplete,
          downloaded: -1,
          downloaders: -1,
          peers: response.peers,
          namedPeers: [],
          externalAddress: '',
          trackerAddress: waiting.target.address,
        })
      case 'scrape':
        return this.finish({
          kind: 'scrape',
          complete: response.complete,
          incomplete: response.incomplete,
          downloaded: response.downloaded,
          downloaders: -1,
        })
    }
  }

  private onResolved(addresses: readonly string[]): void {
    let refusal: LibtorrentError | null = null
    const query = this.question.action === 'announce' ? this.question.request : this.question.query
    for (const found of addresses.slice(0, MAX_ADDRESSES)) {
      // A literal address of the URL may be written in many ways; the answer's sender is compared with it.
      const address = normalizeAddress(found) ?? found
      const local = this.localFor(address)
      // What a name stands for only the proxy knows.
      const refused = local === null ? noRouteError() : isName(address) ? null : this.host.refuses(address, query)
      if (local !== null && refused === null) this.targets.push({ address, port: this.tracker.port, local })
      else refusal ??= refused
    }
    if (this.targets.length > 0 && this.question.action === 'announce') this.question.sending()
    this.nextAddress(refusal ?? error('invalidHostname'))
  }

  /** Our address to speak to `address` from, if that may be done. */
  private localFor(address: string): string | null {
    const from = this.question.action === 'announce' ? this.question.request.localEndpoint : undefined
    if (from !== undefined && isName(address)) return from.address
    if (from === undefined) return this.host.localAddress(isV6(address) ? 6 : 4)
    return isV6(from.address) === isV6(address) ? from.address : null
  }

  /** Turns to the next address, or gives up with `reason`. */
  private nextAddress(reason: LibtorrentError): void {
    if (this.state.name === 'waiting') this.host.endTransaction(this.state.transactionId)
    const target = this.targets.shift()
    if (target === undefined) return this.finish(trackerFailure(reason))
    this.extendSilence()
    this.contact(target)
  }

  private contact(target: Target): void {
    const known = this.host.connectionId(target.local, target)
    if (known === null) this.sendConnect(target, 0)
    else this.sendQuestion(target, known, true)
  }

  private sendConnect(target: Target, retransmissions: number): void {
    const transactionId = this.host.newTransaction(this)
    this.transmit('connect', target, transactionId, retransmissions, false, encodeUdpConnect(transactionId))
  }

  private sendQuestion(target: Target, connectionId: ConnectionId, oldConnectionId: boolean): void {
    const transactionId = this.host.newTransaction(this)
    const packet = this.encodeQuestion(connectionId, transactionId)
    this.transmit(this.question.action, target, transactionId, 0, oldConnectionId, packet)
  }

  private encodeQuestion(connectionId: ConnectionId, transactionId: number): Uint8Array {
    if (this.question.action === 'scrape') {
      return encodeUdpScrape(connectionId, transactionId, this.question.query.infoHash)
    }
    const { settings } = this.host
    const announceIp = settings.anonymousMode === true ? '' : settings.announceIp
    return encodeUdpAnnounce(connectionId, transactionId, this.question.request, this.tracker.path, announceIp)
  }

  private transmit(
    action: Waiting['action'],
    target: Target,
    transactionId: number,
    retransmissions: number,
    oldConnectionId: boolean,
    packet: Uint8Array,
  ): void {
    const retransmitAt = this.now() + udpWait(retransmissions)
    const waiting: Waiting = {
      name: 'waiting',
      action,
      target,
      transactionId,
      retransmissions,
      oldConnectionId,
      retransmitAt,
    }
    this.state = waiting
    this.armTimer(this.wakeTime(waiting))
    this.host.send(target.local, packet, target, (reason) => {
      if (this.state === waiting) this.nextAddress(reason)
    })
  }

  private onTimer(): void {
    const now = this.now()
    const waiting = this.state
    if (now >= this.deadline || waiting.name !== 'waiting') return this.finish(trackerFailure(error('timedOut')))
    if (this.targets.length > 0 && now >= this.switchAt) return this.nextAddress(error('timedOut'))
    if (now >= waiting.retransmitAt) this.retransmit(waiting)
    else this.armTimer(this.wakeTime(waiting))
  }

  private retransmit(waiting: Waiting): void {
    const { action, target, transactionId, oldConnectionId } = waiting
    const retransmissions = waiting.retransmissions + 1
    if (action === 'connect') {
      return this.transmit(action, target, transactionId, retransmissions, false, encodeUdpConnect(transactionId))
    }
    const connectionId = this.host.connectionId(target.local, target)
    if (connectionId === null) {
      // It has expired while we waited: BEP 15 wants a new one before the question is sent again.
      this.host.endTransaction(transactionId)
      return this.sendConnect(target, retransmissions)
    }
    const packet = this.encodeQuestion(connectionId, transactionId)
    this.transmit(action, target, transactionId, retransmissions, oldConnectionId, packet)
  }

  private onRefused(waiting: Waiting, message: string): void {
    if (!waiting.oldConnectionId) return this.finish(trackerFailure(error('trackerFailure'), message))
    // Most likely the tracker was restarted, or our address has changed, and the old connection id means nothing to it.
    this.host.forgetConnectionId(waiting.target.local, waiting.target)
    this.host.endTransaction(waiting.transactionId)
    this.sendConnect(waiting.target, 0)
  }

  private finish(result: AnnounceReply | ScrapeReply | TrackerFailure): void {
    this.cancel()
    if (this.question.action === 'announce') {
      if (result.kind !== 'scrape') this.question.done(result)
    } else if (result.kind !== 'reply') this.question.done(result)
  }

  private timeLimit(): Millis {
    const { settings } = this.host
    const stopping = this.question.action === 'announce' && this.question.request.event === 'stopped'
    return timeoutOf(stopping ? settings.stopTrackerTimeout : settings.trackerCompletionTimeout)
  }

  /** The tracker has spoken, or is another: silence is counted from now. The time left is shared by the addresses. */
  private extendSilence(): void {
    const share = (this.deadline - this.now()) / (this.targets.length + 1)
    this.switchAt = this.now() + Math.min(timeoutOf(this.host.settings.trackerReceiveTimeout), share)
  }

  private wakeTime(waiting: Waiting): Millis {
    const next = Math.min(this.deadline, waiting.retransmitAt)
    return this.targets.length > 0 ? Math.min(next, this.switchAt) : next
  }

  private armTimer(when: Millis): void {
    this.timer?.cancel()
    this.timer = this.host.platform.timers.after(Math.max(0, when - this.now()), () => this.onTimer())
  }

  private now(): Millis {
    return this.host.platform.clock.now()
  }
}

/** It is looked up by the proxy that the packets go through. */
function isName(address: string): boolean {
  return normalizeAddress(address) === null
}

function error(code: LibtorrentErrorCode): LibtorrentError {
  return libtorrentError(code, { operation: 'tracker' })
}
