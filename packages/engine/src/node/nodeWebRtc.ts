import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type {
  RtcPeer,
  RtcPeerHandler,
  RtcPeerOptions,
  WebRtc,
  WebSocketConnection,
  WebSocketHandler,
  WebSocketRequest,
} from '../platform/webRtc.ts'
import { loadOptional } from './loadOptional.ts'
import { NodeRtcPeer, type RtcModule } from './nodeRtcPeer.ts'
import { NodeWebSocket, type WebSocketClass } from './nodeWebSocket.ts'

const NEEDS = { what: 'WebSocket trackers and WebRTC peers need', install: 'node-datachannel ws' }

/** WebSockets by `ws` and WebRTC by `node-datachannel`, packages that need not be installed; loaded when first needed. */
export class NodeWebRtc implements WebRtc {
  private WebSocket: WebSocketClass | null = null
  private rtc: RtcModule | null = null

  loadWebSockets(done: (error: LibtorrentError | null) => void): void {
    loadOptional(
      async () => {
        this.WebSocket ??= (await import('ws')).default
      },
      { ...NEEDS, name: 'ws' },
      done,
    )
  }

  loadPeers(done: (error: LibtorrentError | null) => void): void {
    loadOptional(
      async () => {
        this.rtc ??= await import('node-datachannel')
      },
      { ...NEEDS, name: 'node-datachannel' },
      done,
    )
  }

  connect(request: WebSocketRequest, handler: WebSocketHandler): WebSocketConnection {
    if (this.WebSocket === null) throw new Error('call loadWebSockets first')
    return new NodeWebSocket(this.WebSocket, request, handler)
  }

  newPeer(options: RtcPeerOptions, handler: RtcPeerHandler): RtcPeer {
    if (this.rtc === null) throw new Error('call loadPeers first')
    return new NodeRtcPeer(this.rtc, options, handler)
  }
}
