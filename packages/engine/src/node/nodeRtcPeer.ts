import type { DataChannel as NativeChannel, PeerConnection } from 'node-datachannel'
import { normalizeAddress } from '../address/addressBytes.ts'
import type { Endpoint } from '../address/endpoint.ts'
import { type LibtorrentError, systemError } from '../errors/libtorrentError.ts'
import type { RtcPeer, RtcPeerHandler, RtcPeerOptions } from '../platform/webRtc.ts'
import type { Millis } from '../util/flavored.ts'
import { NodeDataChannel } from './nodeDataChannel.ts'

/** What is used of the package `node-datachannel`. */
export interface RtcModule {
  readonly PeerConnection: typeof PeerConnection
}

const HOST_AND_PORT = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/
/** The label is WebTorrent's; nobody looks at it. */
const LABEL = 'webtorrent'
/** As long as an answer takes through a tracker far away. */
const CANDIDATES_AFTER_MS: Millis = 1000
/** A description of one data channel has one part, which everybody calls so; the name is not looked at. */
const MID = '0'
const CANDIDATE = 'a=candidate:'

/**
 * A WebRTC connection by libdatachannel, until its data channel stands. Its callbacks come from the event loop. That the
 * process can end at all takes a listener for the state: without one the library keeps it alive.
 *
 * Who answers does not knock at the other side at once, but lets the one who offered begin. Up to 0.24.5 libdatachannel
 * cannot stand to be connected to before it has the answer: when that comes, all else is ready, and on a fast network
 * the certificate is there before the fingerprint it is compared with is stored. The connection then fails ("unknown
 * CA", one in ten on a busy machine). And a first message of DTLS that waits already may be overlooked until it is
 * repeated, a second later.
 */
export class NodeRtcPeer implements RtcPeer {
  private native: PeerConnection | null = null
  /** Kept while it opens: nobody else holds it. */
  private opening: NativeChannel | null = null
  private channel: NodeDataChannel | null = null
  private knocking: NodeJS.Timeout | undefined

  constructor(
    rtc: RtcModule,
    options: RtcPeerOptions,
    private readonly handler: RtcPeerHandler,
  ) {
    try {
      const { stunServer, localAddress } = options
      const iceServers = HOST_AND_PORT.test(stunServer) ? [`stun:${stunServer}`] : []
      this.native = this.listen(new rtc.PeerConnection('', { iceServers, bindAddress: localAddress }))
    } catch (cause) {
      setImmediate(() => handler.onFailed(rtcError(cause)))
    }
  }

  description(): string | null {
    return this.native?.localDescription()?.sdp ?? null
  }

  offer(): void {
    const { native } = this
    if (native === null) return
    const error = attempt(() => {
      const channel = native.createDataChannel(LABEL)
      this.opening = channel
      channel.onOpen(() => this.onChannel(channel))
      channel.onClosed(() => this.fail(rtcError('the data channel was closed')))
    })
    if (error !== null) setImmediate(() => this.fail(error))
  }

  answer(offerSdp: string): LibtorrentError | null {
    const lines = offerSdp.split('\r\n')
    const candidates = lines.filter((line) => line.startsWith(CANDIDATE))
    const others = lines.filter((line) => !line.startsWith(CANDIDATE) && line !== 'a=end-of-candidates')
    const error = attempt(() => this.native?.setRemoteDescription(others.join('\r\n'), 'offer'))
    if (error === null) this.knockLater(candidates)
    return error
  }

  accept(answerSdp: string): LibtorrentError | null {
    return attempt(() => this.native?.setRemoteDescription(answerSdp, 'answer'))
  }

  close(): void {
    const { native, opening } = this
    this.native = null
    this.opening = null
    clearTimeout(this.knocking)
    if (native === null) return
    attempt(() => opening?.close())
    attempt(() => native.close())
  }

  private listen(native: PeerConnection): PeerConnection {
    native.onStateChange((state) => {
      if (state !== 'failed' && state !== 'closed') return
      if (this.channel === null) this.fail(rtcError(`the connection ${state === 'failed' ? 'failed' : 'was closed'}`))
      else this.channel.onConnectionEnded(state === 'failed')
    })
    native.onGatheringStateChange((state) => {
      const sdp = state === 'complete' ? this.description() : null
      if (sdp !== null && this.channel === null) this.handler.onDescription(sdp)
    })
    native.onDataChannel((channel) => {
      // One is all there is to be: a second one, or one beside ours, is nobody's.
      if (this.opening === null && this.channel === null) this.onChannel(channel)
      else attempt(() => channel.close())
    })
    return native
  }

  /** Who offered may be behind a router that lets in only what it was sent to: it is not waited for alone. */
  private knockLater(candidates: readonly string[]): void {
    this.knocking = setTimeout(() => {
      for (const line of candidates) attempt(() => this.native?.addRemoteCandidate(line, MID))
    }, CANDIDATES_AFTER_MS).unref()
  }

  private onChannel(nativeChannel: NativeChannel): void {
    const { native } = this
    if (native === null) return
    const pair = native.getSelectedCandidatePair()
    const remote = endpointOf(pair?.remote)
    if (remote === null) return this.fail(rtcError('the address of the other side is not known'))
    this.native = null
    this.opening = null
    clearTimeout(this.knocking)
    const close = () => attempt(() => native.close())
    this.channel = new NodeDataChannel(nativeChannel, endpointOf(pair?.local), remote, close)
    this.handler.onChannel(this.channel)
  }

  private fail(error: LibtorrentError): void {
    if (this.native === null) return
    this.close()
    this.handler.onFailed(error)
  }
}

function endpointOf(candidate: { readonly address: string; readonly port: number } | undefined): Endpoint | null {
  const address = candidate === undefined ? null : normalizeAddress(candidate.address)
  return candidate === undefined || address === null ? null : { address, port: candidate.port }
}

function attempt(what: () => void): LibtorrentError | null {
  try {
    what()
    return null
  } catch (cause) {
    return rtcError(cause)
  }
}

function rtcError(cause: unknown): LibtorrentError {
  const message = cause instanceof Error ? cause.message : String(cause)
  return systemError({ code: 'ECONNREFUSED', errno: 111, message }, { operation: 'connect' })
}
