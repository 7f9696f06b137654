import { isUnspecified } from '../src/address/classify.ts'
import type { Endpoint } from '../src/address/endpoint.ts'
import { LibtorrentError } from '../src/errors/libtorrentError.ts'
import type { Random } from '../src/platform/random.ts'
import type { UdpSocket } from '../src/platform/udp.ts'
import type { RtcPeer, RtcPeerHandler, RtcPeerOptions } from '../src/platform/webRtc.ts'
import { toHex, utf8 } from '../src/util/bytes.ts'
import type { Millis } from '../src/util/flavored.ts'
import { SimDataChannel } from './simDataChannel.ts'
import { simError } from './simErrors.ts'
import type { SimHost } from './simHost.ts'
import type { SimProcess, SimResource } from './simProcess.ts'
import type { SimRtc } from './simRtc.ts'
import { SimUdp } from './simUdp.ts'

/** How often the other side's addresses are tried. It goes on for ever: giving up is up to the program. */
const CHECK_EVERY_MS: Millis = 250
/** What a STUN server takes to answer. */
const STUN_MS: Millis = 50
/** Where STUN servers are, as far as a router is concerned. */
const STUN_SERVER: Endpoint = { address: '198.18.0.1', port: 3478 }

/** The other side, as its description tells. */
interface Remote {
  readonly name: string
  readonly candidates: Endpoint[]
}

/**
 * A WebRTC connection that is being made in a simulated world. Descriptions are real as far as anybody looks at them, and
 * so are the packets that try the other side's addresses: they go through the routers of both, get lost, and open ways.
 * From the moment both have heard of each other it is simpler: the channel of both ends is there, and loses nothing.
 */
export class SimRtcPeer implements RtcPeer, SimResource {
  private readonly name: string
  private socket: UdpSocket | null = null
  private state: 'new' | 'open' | 'over' = 'new'
  private remote: Remote | null = null
  private ownCandidates: readonly Endpoint[] = []
  private isOffering = false
  private isGathered = false

  constructor(
    private readonly process: SimProcess,
    random: Random,
    private readonly rtc: SimRtc,
    private readonly options: RtcPeerOptions,
    private readonly handler: RtcPeerHandler,
  ) {
    this.name = `${rtc.newName()}${toHex(random.bytes(4))}`
    rtc.peers.set(this.name, this)
    process.adopt('rtc peer', this)
  }

  get host(): SimHost {
    return this.process.host
  }

  description(): string | null {
    return this.isGathered ? describe(this.name, this.ownCandidates) : null
  }

  offer(): void {
    this.isOffering = true
    this.gather()
  }

  answer(offerSdp: string): LibtorrentError | null {
    const error = this.accept(offerSdp)
    if (error === null) this.gather()
    return error
  }

  accept(sdp: string): LibtorrentError | null {
    this.remote = parse(sdp)
    if (this.remote === null) return simError('ECONNREFUSED', 'connect')
    this.check()
    return null
  }

  close(): void {
    if (this.state === 'over') return
    this.release()
  }

  kill(): void {
    this.close()
  }

  describe(): string {
    return this.name
  }

  private gather(): void {
    const { localAddress } = this.options
    const address = localAddress === undefined || isUnspecified(localAddress) ? this.host.address : localAddress
    new SimUdp(this.process).bind(
      { address, port: 0 },
      { onPacket: (packet, from) => this.hear(new TextDecoder().decode(packet), from), onError: () => {} },
      (result) => {
        if (this.state === 'over') return void (result instanceof LibtorrentError || result.close())
        if (result instanceof LibtorrentError) {
          this.close()
          return this.handler.onFailed(result)
        }
        this.socket = result
        this.ownCandidates = [result.local]
        const { nat } = this.host
        const asksStun = this.options.stunServer !== '' && nat !== null
        if (asksStun) this.ownCandidates = [result.local, nat.leave(result.local, STUN_SERVER)]
        this.process.network.time.after(asksStun ? STUN_MS : 0, () => this.gathered())
        this.check()
      },
    )
  }

  private gathered(): void {
    if (this.state === 'over') return
    this.isGathered = true
    if (this.state === 'new') this.handler.onDescription(describe(this.name, this.ownCandidates))
  }

  /** Tries all addresses of the other side, again and again. */
  private check(): void {
    const { remote, socket } = this
    if (remote === null || socket === null || this.state !== 'new') return
    for (const candidate of remote.candidates) this.say('check', candidate)
    this.process.network.time.after(CHECK_EVERY_MS, () => this.check())
  }

  private say(what: 'check' | 'ok', to: Endpoint): void {
    if (this.remote !== null) this.socket?.send(utf8(`${what} ${this.name} ${this.remote.name}`), to)
  }

  private hear(text: string, from: Endpoint): void {
    const [what, name, to] = text.split(' ')
    const { remote } = this
    if (remote === null || name !== remote.name || to !== this.name || this.state !== 'new') return
    if (what === 'check') {
      // An address nobody has named: that of a router, say.
      const isKnown = remote.candidates.some(({ address, port }) => address === from.address && port === from.port)
      if (!isKnown) remote.candidates.push(from)
      this.say('ok', from)
    } else if (what === 'ok' && this.isOffering) this.connect(remote.name, from)
  }

  /** Both ways are open: the other end opens first, as it is with WebRTC. */
  private connect(name: string, from: Endpoint): void {
    const { network } = this.process
    const other = this.rtc.peers.get(name)
    const { socket } = this
    if (other === undefined || socket === null || other.socket === null) return
    network.control(this.host, other.host, () => {
      if (this.state !== 'new' || other.state !== 'new' || other.socket === null) return
      const theirs = new SimDataChannel(other.process, other.socket.local, this.addressFor(other))
      const ours = new SimDataChannel(this.process, socket.local, from)
      SimDataChannel.join(ours, theirs)
      other.opens(theirs)
      // What the other end sends comes behind this.
      network.control(other.host, this.host, () => {
        if (this.state === 'new') this.opens(ours)
        else ours.close()
      })
    })
  }

  private addressFor(other: SimRtcPeer): Endpoint {
    const { address, port } = this.ownCandidates[this.ownCandidates.length - 1]
    return other.host === this.host ? this.ownCandidates[0] : { address, port }
  }

  private opens(channel: SimDataChannel): void {
    this.release()
    this.state = 'over'
    this.handler.onChannel(channel)
  }

  private release(): void {
    this.state = 'over'
    this.socket?.close()
    this.socket = null
    this.rtc.peers.delete(this.name)
    this.process.release(this)
  }
}

function describe(name: string, candidates: readonly Endpoint[]): string {
  return [
    'v=0',
    'o=- 1 0 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    'a=fingerprint:sha-256 00',
    `a=ice-ufrag:${name}`,
    ...candidates.map(({ address, port }, i) => `a=candidate:${i + 1} 1 UDP ${2000 - i} ${address} ${port} typ host`),
    '',
  ].join('\r\n')
}

function parse(sdp: string): Remote | null {
  const name = /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1]
  if (name === undefined) return null
  const candidates: Endpoint[] = []
  for (const [, address, port] of sdp.matchAll(/^a=candidate:\S+ 1 UDP \d+ (\S+) (\d+) /gm)) {
    candidates.push({ address, port: Number(port) })
  }
  return { name, candidates }
}
