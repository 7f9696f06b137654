import type { WebSocketService } from '../src/platform/webSocketServer.ts'
import type { SimHost } from './simHost.ts'
import type { SimRtcPeer } from './simRtcPeer.ts'

/** What answers WebSockets at an origin. */
export interface WebSocketSite {
  readonly host: SimHost
  readonly service: WebSocketService
}

/** The WebSocket servers of the world, by the origin of their URLs, and the WebRTC connections on their way. */
export class SimRtc {
  /** By what each calls itself in its description. */
  readonly peers = new Map<string, SimRtcPeer>()
  private readonly sites = new Map<string, WebSocketSite>()
  private lastName = 0

  /**
   * Answers WebSockets for URLs with this origin, such as `ws://tracker.example:6969`, that reach `host`. A later call
   * for the same origin replaces the first.
   */
  serve(origin: string, host: SimHost, service: WebSocketService): void {
    this.sites.set(new URL(origin).host, { host, service })
  }

  stop(origin: string): void {
    this.sites.delete(new URL(origin).host)
  }

  find(url: string): WebSocketSite | null {
    return this.sites.get(new URL(url).host) ?? null
  }

  newName(): string {
    return `sim${++this.lastName}`
  }
}
