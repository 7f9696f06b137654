import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type {
  RtcPeer,
  RtcPeerHandler,
  RtcPeerOptions,
  WebRtc,
  WebSocketConnection,
  WebSocketHandler,
  WebSocketRequest,
} from '../platform/webRtc.ts'
import { NodeRtcPeer, type RtcModule } from './nodeRtcPeer.ts'
import { NodeWebSocket, type WebSocketClass } from './nodeWebSocket.ts'

/** WebSockets by `ws` and WebRTC by `node-datachannel`, packages that need not be installed; loaded when first needed. */
export class NodeWebRtc implements WebRtc {
  private WebSocket: WebSocketClass | null = null
  private rtc: RtcModule | null = null

  loadWebSockets(done: (error: LibtorrentError | null) => void): void {
    loaded(
      async () => {
        this.WebSocket ??= (await import('ws')).default
      },
      'ws',
      done,
    )
  }

  loadPeers(done: (error: LibtorrentError | null) => void): void {
    loaded(
      async () => {
        this.rtc ??= await import('node-datachannel')
      },
      'node-datachannel',
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

function loaded(load: () => Promise<void>, name: string, done: (error: LibtorrentError | null) => void): void {
  // What `done` throws is not a failure to load.
  load().then(
    () => done(null),
    (cause: unknown) => done(notLoaded(name, cause)),
  )
}

function notLoaded(name: string, cause: unknown): LibtorrentError {
  const { code, message } = cause as Partial<NodeJS.ErrnoException>
  const isMissing = code === 'ERR_MODULE_NOT_FOUND' && message?.includes(`'${name}'`) === true
  const what = `the package ${name}, which ${isMissing ? 'is not installed' : 'cannot be loaded'}`
  return libtorrentError('unsupportedUrlProtocol', {
    operation: 'tracker',
    // That it is not installed says everything.
    cause: isMissing ? undefined : cause,
    message: `WebSocket trackers and WebRTC peers need ${what} (npm install node-datachannel ws)`,
  })
}
