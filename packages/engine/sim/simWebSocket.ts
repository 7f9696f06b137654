import { httpError, type LibtorrentError, libtorrentError } from '../src/errors/libtorrentError.ts'
import type { Timer } from '../src/platform/clock.ts'
import type { Resolver } from '../src/platform/resolver.ts'
import type { WebSocketConnection, WebSocketHandler, WebSocketRequest } from '../src/platform/webRtc.ts'
import type { WebSocketClient, WebSocketClientHandler } from '../src/platform/webSocketServer.ts'
import type { Millis } from '../src/util/flavored.ts'
import { simError } from './simErrors.ts'
import type { SimHost } from './simHost.ts'
import type { Channel, Severable } from './simNetwork.ts'
import type { SimProcess, SimResource } from './simProcess.ts'
import type { SimRtc, WebSocketSite } from './simRtc.ts'

/** A path that is blocked is tried again so often. */
const RETRY_MS: Millis = 1000

/** What one side sends, in order. */
class Direction implements Channel {
  lastArrival: Millis = 0
  unsentBytes = 0
  private readonly queue: { readonly text: string; readonly deliver: (text: string) => void }[] = []
  private isStalled = false

  constructor(
    private readonly process: SimProcess,
    private readonly from: SimHost,
    private readonly to: SimHost,
  ) {}

  send(text: string, deliver: (text: string) => void): void {
    this.queue.push({ text, deliver })
    this.unsentBytes += text.length
    if (!this.isStalled) this.flush()
  }

  private flush(): void {
    const { network } = this.process
    this.isStalled = network.isBlocked(this.from, this.to)
    if (this.isStalled) {
      if (this.queue.length > 0) network.time.after(RETRY_MS, () => this.flush())
      return
    }
    for (const { text, deliver } of this.queue.splice(0)) {
      this.unsentBytes -= text.length
      network.carryInOrder(this.from, this.to, text.length, this, () => deliver(text))
    }
  }
}

/** A WebSocket from a simulated program to a server of the world; both ends. */
export class SimWebSocket implements WebSocketConnection, Severable, SimResource {
  remoteHost: SimHost | null = null
  private isOver = false
  private readonly openTimer: Timer
  private stopLookup = () => {}
  private up: Direction | null = null
  /** The server's side. */
  private server: WebSocketClientHandler | null = null
  private isServerOver = false
  private maxServerBytes = 0

  constructor(
    private readonly process: SimProcess,
    resolver: Resolver,
    private readonly rtc: SimRtc,
    private readonly request: WebSocketRequest,
    private readonly handler: WebSocketHandler,
  ) {
    process.adopt('web socket', this)
    this.openTimer = process.network.time.after(request.openTimeout, () =>
      this.fail(libtorrentError('timedOut', { operation: 'connect' })),
    )
    this.stopLookup = resolver.resolve(new URL(request.url).hostname, (result) => {
      if (Array.isArray(result)) this.connect(result as readonly string[])
      else this.fail(result as LibtorrentError)
    })
  }

  get host(): SimHost {
    return this.process.host
  }

  get unsentBytes(): number {
    return this.up?.unsentBytes ?? 0
  }

  send(text: string): void {
    if (!this.isOver) this.up?.send(text, (arrived) => this.serverHears(arrived))
  }

  close(): void {
    if (this.isOver) return
    this.release()
    const { remoteHost } = this
    if (remoteHost !== null) this.process.network.control(this.host, remoteHost, () => this.endServer())
  }

  kill(): void {
    this.close()
  }

  /** The connection breaks. */
  sever(): void {
    this.endServer()
    this.process.soon(() => this.fail(simError('ECONNRESET', 'socketRead')))
  }

  describe(): string {
    return this.request.url
  }

  private connect(addresses: readonly string[]): void {
    if (this.isOver) return
    const { network } = this.process
    const address = addresses.find((each) => this.isAllowed(each))
    if (address === undefined) return this.fail(this.refusal(addresses[0]))
    const target = network.hostAt(address, this.host)
    const site = this.rtc.find(this.request.url)
    if (target === null) return this.fail(simError('EHOSTUNREACH', 'connect'))
    network.control(this.host, target, () => {
      const isThere = site !== null && site.host === target
      const path = new URL(this.request.url).pathname
      network.control(target, this.host, () => {
        if (this.isOver) return
        if (!isThere) return this.fail(simError('ECONNREFUSED', 'connect'))
        if (!site.service.serves(path)) return this.fail(httpError(404, { operation: 'tracker' }))
        this.open(address, site)
      })
    })
  }

  private isAllowed(address: string): boolean {
    return (this.request.checkAddress?.(address) ?? null) === null
  }

  private refusal(address: string | undefined): LibtorrentError {
    const error = address === undefined ? null : this.request.checkAddress?.(address)
    return error ?? simError('ENOTFOUND', 'hostnameLookup')
  }

  private open(address: string, { host, service }: WebSocketSite): void {
    this.openTimer.cancel()
    this.remoteHost = host
    this.up = new Direction(this.process, this.host, host)
    const down = new Direction(this.process, host, this.host)
    const client: WebSocketClient = {
      address: this.host.nat?.externalAddress ?? this.host.address,
      get unsentBytes() {
        return down.unsentBytes
      },
      send: (text) => {
        if (!this.isServerOver) down.send(text, (arrived) => this.clientHears(arrived))
      },
      close: () => {
        const { network } = this.process
        network.time.after(0, () => this.endServer())
        network.control(host, this.host, () => this.fail(simError('ECONNRESET', 'socketRead')))
      },
    }
    this.server = service.accept(client)
    this.maxServerBytes = service.maxMessageBytes
    this.process.network.connectionOpened(this)
    this.handler.onOpen(address)
  }

  private serverHears(text: string): void {
    if (this.isServerOver) return
    if (text.length <= this.maxServerBytes) this.server?.onMessage(text)
    else this.sever()
  }

  private clientHears(text: string): void {
    if (this.isOver) return
    if (text.length <= this.request.maxMessageBytes) this.handler.onMessage(text)
    else this.fail(libtorrentError('packetTooLarge', { operation: 'socketRead' }))
  }

  private endServer(): void {
    if (this.isServerOver || this.server === null) return
    this.isServerOver = true
    this.server.onClosed()
  }

  private fail(error: LibtorrentError): void {
    if (this.isOver) return
    this.close()
    this.handler.onClosed(error)
  }

  private release(): void {
    this.isOver = true
    this.openTimer.cancel()
    this.stopLookup()
    this.process.release(this)
    this.process.network.connectionClosed(this)
  }
}
