import type { LibtorrentError } from '../src/errors/libtorrentError.ts'
import type { Random } from '../src/platform/random.ts'
import type { Resolver } from '../src/platform/resolver.ts'
import type {
  RtcPeer,
  RtcPeerHandler,
  RtcPeerOptions,
  WebRtc,
  WebSocketConnection,
  WebSocketHandler,
  WebSocketRequest,
} from '../src/platform/webRtc.ts'
import type { SimProcess } from './simProcess.ts'
import type { SimRtc } from './simRtc.ts'
import { SimRtcPeer } from './simRtcPeer.ts'
import { SimWebSocket } from './simWebSocket.ts'

/** WebSockets and WebRTC as one program on a simulated host sees them. */
export class SimWebRtc implements WebRtc {
  constructor(
    private readonly process: SimProcess,
    private readonly resolver: Resolver,
    private readonly random: Random,
    private readonly rtc: SimRtc,
  ) {}

  loadWebSockets(done: (error: LibtorrentError | null) => void): void {
    this.process.soon(() => done(null))
  }

  loadPeers(done: (error: LibtorrentError | null) => void): void {
    this.process.soon(() => done(null))
  }

  connect(request: WebSocketRequest, handler: WebSocketHandler): WebSocketConnection {
    return new SimWebSocket(this.process, request.resolver ?? this.resolver, this.rtc, request, handler)
  }

  newPeer(options: RtcPeerOptions, handler: RtcPeerHandler): RtcPeer {
    return new SimRtcPeer(this.process, this.random, this.rtc, options, handler)
  }
}
