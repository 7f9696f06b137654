import type { WebSocketClient } from '../../../src/platform/webSocketServer.ts'
import { TrackerCore } from '../../../src/trackerServer/trackerCore.ts'
import { type TrackerServerOptions, trackerRules } from '../../../src/trackerServer/trackerServerOptions.ts'
import { WebTrackerFront } from '../../../src/trackerServer/webTrackerFront.ts'
import { latin1 } from '../../../src/util/bytes.ts'
import { FakeRandom, FakeTime } from '../tracker/fakes.ts'
import { infoHash, peerId } from './scene.ts'

type Json = Record<string, unknown>

export const hashText = (n: number) => latin1(infoHash(n))
export const idText = (n: number) => latin1(peerId(n))
export const offerText = (n: number) => String(n).padStart(20, '\xe9')

export const offers = (count: number, first = 1) =>
  Array.from({ length: count }, (_, i) => ({
    offer_id: offerText(first + i),
    offer: { type: 'offer', sdp: `sdp ${first + i}` },
  }))

/** A client whose WebSocket is the test. */
export class WebUser implements WebSocketClient {
  readonly heard: Json[] = []
  unsentBytes = 0
  isClosed = false
  private readonly handler: ReturnType<WebTrackerFront['accept']>

  constructor(
    front: WebTrackerFront,
    readonly n: number,
    readonly address = `9.1.${n >> 8}.${n & 255}`,
  ) {
    this.handler = front.accept(this)
  }

  send(text: string): void {
    this.heard.push(JSON.parse(text))
  }

  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.handler.onClosed()
  }

  says(message: unknown): void {
    if (!this.isClosed) this.handler.onMessage(typeof message === 'string' ? message : JSON.stringify(message))
  }

  announces(changes: Json = {}): void {
    this.says({ action: 'announce', info_hash: hashText(1), peer_id: idText(this.n), left: 5, ...changes })
  }

  answers(offer: Json, changes: Json = {}): void {
    const { info_hash, offer_id, peer_id } = offer
    const answer = { type: 'answer', sdp: 'answering' }
    const own = { action: 'announce', info_hash, peer_id: idText(this.n), to_peer_id: peer_id, offer_id, answer }
    this.says({ ...own, ...changes })
  }

  /** What it heard of one kind. */
  all(kind: 'offer' | 'answer' | 'interval' | 'failure reason' | 'files'): Json[] {
    return this.heard.filter((message) => kind in message)
  }
}

/** A WebSocket tracker without sockets, in a time that the test makes pass. */
export class WebScene {
  readonly time = new FakeTime()
  readonly core: TrackerCore
  readonly front: WebTrackerFront

  constructor(options: TrackerServerOptions = {}) {
    const random = new FakeRandom()
    this.core = new TrackerCore(trackerRules({ requestsPerSecond: 0, ...options }), random)
    this.front = new WebTrackerFront(this.core, this.time, random, 1000)
  }

  user(n: number, address?: string): WebUser {
    return new WebUser(this.front, n, address)
  }

  /** A user who has announced. */
  member(n: number, changes: Json = {}): WebUser {
    const user = this.user(n)
    user.announces(changes)
    return user
  }

  pass(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.time.pass(1000)
      this.front.tick()
    }
  }
}
