import type { Endpoint } from '../../../src/address/endpoint.ts'
import type { Alert } from '../../../src/alerts/alert.ts'
import { type LibtorrentError, systemError } from '../../../src/errors/libtorrentError.ts'
import type { Clock, Timer, Timers } from '../../../src/platform/clock.ts'
import type { HttpClient, HttpRequest, HttpResponse } from '../../../src/platform/http.ts'
import type { Random } from '../../../src/platform/random.ts'
import type { Resolver } from '../../../src/platform/resolver.ts'
import type { Udp, UdpHandler, UdpSocket } from '../../../src/platform/udp.ts'
import { EncPolicy } from '../../../src/settings/settingEnums.ts'
import type { TrackerSettings } from '../../../src/tracker/trackerSettings.ts'

/** Virtual time: nothing happens unless a test lets it pass. */
export class FakeTime implements Clock, Timers {
  private time = 1000
  private readonly timers = new Set<{ when: number; callback: () => void }>()

  now(): number {
    return this.time
  }

  unixTime(): number {
    return 1_700_000_000 + Math.floor(this.time / 1000)
  }

  after(delay: number, callback: () => void): Timer {
    const timer = { when: this.time + Math.max(0, delay), callback }
    this.timers.add(timer)
    return { cancel: () => this.timers.delete(timer) }
  }

  /** Timers that are set. */
  get pending(): number {
    return this.timers.size
  }

  /** Lets `duration` ms pass, firing timers in the order of their time. */
  pass(duration: number): void {
    const end = this.time + duration
    for (;;) {
      let next: { when: number; callback: () => void } | null = null
      for (const timer of this.timers) if (timer.when <= end && (next === null || timer.when < next.when)) next = timer
      if (next === null) break
      this.timers.delete(next)
      this.time = Math.max(this.time, next.when)
      next.callback()
    }
    this.time = end
  }
}

/** Reproducible chance (mulberry32). */
export class FakeRandom implements Random {
  constructor(private state = 1) {}

  u32(): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return (t ^ (t >>> 14)) >>> 0
  }

  below(limit: number): number {
    return this.u32() % limit
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.u32() & 0xff)
  }
}

/** Names from a table; literal addresses are themselves. */
export class FakeResolver implements Resolver {
  readonly names = new Map<string, readonly string[]>()

  constructor(private readonly timers: Timers) {}

  resolve(host: string, done: (result: readonly string[] | LibtorrentError) => void): () => void {
    const literal = /^[\d.]+$/.test(host) || host.includes(':')
    const found = literal ? [host] : this.names.get(host)
    const timer = this.timers.after(1, () => done(found ?? systemError({ code: 'ENOTFOUND', message: 'no such name' })))
    return () => timer.cancel()
  }
}

export interface SentPacket {
  readonly at: number
  readonly packet: Uint8Array
  readonly to: Endpoint
}

/** UDP sockets whose packets a test reads and answers. */
export class FakeUdp implements Udp {
  readonly sent: SentPacket[] = []
  readonly open = new Set<UdpHandler>()
  /** Addresses that cannot be bound. */
  readonly unbindable = new Set<string>()
  /** Called for each packet sent. */
  onSent: (packet: SentPacket) => void = () => {}

  constructor(private readonly time: FakeTime) {}

  bind(local: Endpoint, handler: UdpHandler, done: (result: UdpSocket | LibtorrentError) => void): void {
    this.time.after(0, () => {
      if (this.unbindable.has(local.address)) return done(systemError({ code: 'EADDRNOTAVAIL', message: 'no' }))
      this.open.add(handler)
      done({
        local: { address: local.address, port: 50_000 + this.open.size },
        send: (packet, to) => {
          const sent = { at: this.time.now(), packet: packet.slice(), to }
          this.sent.push(sent)
          this.onSent(sent)
        },
        close: () => this.open.delete(handler),
      })
    })
  }

  /** A packet arrives at every open socket that would get it. */
  deliver(packet: Uint8Array, from: Endpoint): void {
    for (const handler of [...this.open]) handler.onPacket(packet, from)
  }
}

export interface PendingGet {
  readonly request: HttpRequest
  readonly at: number
  answer(result: HttpResponse | LibtorrentError): void
}

/** An HTTP client whose requests a test answers. */
export class FakeHttp implements HttpClient {
  /** Not answered and not cancelled. */
  readonly open = new Set<PendingGet>()
  /** All there ever were. */
  readonly gets: PendingGet[] = []

  constructor(private readonly clock: Clock) {}

  get(request: HttpRequest, done: (result: HttpResponse | LibtorrentError) => void): () => void {
    const pending: PendingGet = {
      request,
      at: this.clock.now(),
      answer: (result) => {
        if (this.open.delete(pending)) done(result)
      },
    }
    this.open.add(pending)
    this.gets.push(pending)
    return () => {
      this.open.delete(pending)
    }
  }

  /** The oldest request that waits for an answer. */
  next(): PendingGet {
    const [first] = this.open
    if (first === undefined) throw new Error('no request is open')
    return first
  }
}

export function fakePlatform() {
  const time = new FakeTime()
  return {
    time,
    clock: time,
    timers: time,
    random: new FakeRandom(),
    resolver: new FakeResolver(time),
    udp: new FakeUdp(time),
    http: new FakeHttp(time),
  }
}

export function httpOk(body: string | Uint8Array, status = 200): HttpResponse {
  const bytes = typeof body === 'string' ? Uint8Array.from(Buffer.from(body, 'latin1')) : body
  return { status, headers: {}, body: bytes, remoteAddress: '9.9.9.9', finalUrl: '' }
}

export function settings(changes: Partial<TrackerSettings> = {}): TrackerSettings {
  return {
    trackerCompletionTimeout: 30,
    trackerReceiveTimeout: 10,
    stopTrackerTimeout: 5,
    trackerMaximumResponseLength: 1024 * 1024,
    trackerBackoff: 250,
    minAnnounceInterval: 300,
    minWebsocketAnnounceInterval: 60,
    announceToAllTrackers: false,
    announceToAllTiers: false,
    preferUdpTrackers: true,
    udpTrackerTokenExpiry: 60,
    userAgent: 'libtorrent-ts/test',
    announceIp: '',
    validateHttpsTrackers: true,
    ssrfMitigation: true,
    allowIdna: false,
    applyIpFilterToTrackers: true,
    maxConcurrentHttpAnnounces: 50,
    reportRedundantBytes: true,
    announceCryptoSupport: false,
    inEncPolicy: EncPolicy.enabled,
    ...changes,
  }
}

/** Keeps the alerts it is given. */
export class FakeAlerts {
  readonly posted: Alert[] = []

  wants(): boolean {
    return true
  }

  post(alert: Alert): void {
    this.posted.push(alert)
  }

  of<Kind extends Alert>(kind: abstract new (...args: never[]) => Kind): Kind[] {
    return this.posted.filter((alert): alert is Kind => alert instanceof kind)
  }
}
