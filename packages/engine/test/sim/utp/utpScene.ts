import type { SimHost } from '../../../sim/simHost.ts'
import type { SimWorld } from '../../../sim/simWorld.ts'
import type { Endpoint } from '../../../src/address/endpoint.ts'
import type { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import type { Random } from '../../../src/platform/random.ts'
import type { Stream, StreamHandler } from '../../../src/platform/tcp.ts'
import type { UdpSocket } from '../../../src/platform/udp.ts'
import { defaultUtpSettings, type UtpSettings } from '../../../src/utp/utpSettings.ts'
import { UtpSockets } from '../../../src/utp/utpSockets.ts'

export const PORT = 6881

/** uTP on a UDP socket of a simulated machine. */
export interface Endpoints {
  readonly at: Endpoint
  readonly utp: UtpSockets
  readonly socket: UdpSocket
  /** Streams others opened to us, in order. */
  readonly accepted: End[]
  readonly faults: unknown[]
  /** Datagrams that were not uTP. */
  readonly others: Uint8Array[]
  close(): void
}

/** One end of a stream: what it got, and what it is told. Everything it sends is `pattern`, so that it can be checked. */
export class End implements StreamHandler {
  stream!: Stream
  received = 0
  isIntact = true
  connected = false
  drains = 0
  /** Undefined while open; null: closed in order. */
  closed: LibtorrentError | null | undefined = undefined
  closedAt = 0
  onBytes: ((chunk: Uint8Array) => void) | null = null
  onEnd: (() => void) | null = null

  constructor(private readonly seed = 1) {}

  onConnected(): void {
    this.connected = true
  }

  onData(chunk: Uint8Array): void {
    for (let i = 0; i < chunk.length; i++) {
      if (chunk[i] !== patternAt(this.received + i, this.seed)) this.isIntact = false
    }
    this.received += chunk.length
    this.onBytes?.(chunk)
  }

  onDrain(): void {
    this.drains++
  }

  onClosed(error: LibtorrentError | null): void {
    if (this.closed !== undefined) throw new Error('closed twice')
    this.closed = error
    this.onEnd?.()
  }
}

function patternAt(index: number, seed: number): number {
  return (index * 31 + (index >> 8) * 17 + seed) & 0xff
}

/** `length` bytes of the pattern from `from` on. */
export function pattern(from: number, length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = patternAt(from + i, seed)
  return bytes
}

interface Oddities {
  /** Seconds of its clock to a second. */
  readonly clockSpeed?: number
  /** The sequence number its connections begin with. */
  readonly seq?: number
}

function numbering(random: Random, seq: number): Random {
  const below = (limit: number) => (limit === 0x10000 ? seq : random.below(limit))
  return { below, u32: () => random.u32(), bytes: (count) => random.bytes(count) }
}

/** Opens uTP on a machine. */
export function utpOn(
  world: SimWorld,
  host: SimHost,
  settings: Partial<UtpSettings> = {},
  { address = host.address, port = PORT }: Partial<Endpoint> = {},
  { clockSpeed = 1, seq }: Oddities = {},
): Endpoints {
  const { platform } = world.start(host)
  let socket: UdpSocket | null = null
  const faults: unknown[] = []
  const others: Uint8Array[] = []
  const accepted: End[] = []
  const at = { address, port }
  const utp = new UtpSockets({
    clock: { unixTime: () => platform.clock.unixTime(), now: () => platform.clock.now() * clockSpeed },
    timers: platform.timers,
    random: seq === undefined ? platform.random : numbering(platform.random, seq),
    settings: { ...defaultUtpSettings, ...settings },
    local: at,
    send: (packet, to) => socket?.send(packet, to),
    onUtpAccept: (stream) => {
      const end = new End()
      end.stream = stream
      end.connected = true
      stream.setHandler(end)
      accepted.push(end)
    },
    onFault: (cause) => faults.push(cause),
  })
  const handler = {
    onPacket: (packet: Uint8Array, from: Endpoint) => {
      if (!utp.incoming(packet, from)) others.push(new Uint8Array(packet))
    },
    onError: () => utp.close(),
  }
  platform.udp.bind(at, handler, (result) => {
    if ('code' in result) throw result
    socket = result
  })
  world.run({ ms: 1 })
  const close = () => {
    utp.close()
    socket?.close()
    if (faults.length > 0) throw faults[0]
  }
  return { at, utp, socket: socket as unknown as UdpSocket, accepted, faults, others, close }
}

/** Connects two machines and lets time pass until both know. */
export function connectTo(world: SimWorld, from: Endpoints, to: Endpoints): { near: End; far: End } {
  const near = new End()
  const before = to.accepted.length
  near.stream = from.utp.connect(to.at, near)
  world.runUntil(() => near.connected && to.accepted.length > before, { minutes: 1 })
  return { near, far: to.accepted[before] }
}

/** Keeps a stream busy with the pattern, `total` bytes of it, or for ever. */
export class Feeder {
  written = 0
  sent = 0
  private isStopped = false
  private readonly chunk = 16 * 1024

  constructor(
    private readonly end: End,
    private readonly total = Number.POSITIVE_INFINITY,
    private readonly ahead = 256 * 1024,
  ) {
    this.feed()
  }

  /** Writes no more. */
  stop(): void {
    this.isStopped = true
  }

  private feed(): void {
    while (
      !this.isStopped &&
      this.end.closed === undefined &&
      this.written < this.total &&
      this.written - this.sent < this.ahead
    ) {
      const length = Math.min(this.chunk, this.total - this.written)
      const bytes = pattern(this.written, length)
      this.written += length
      this.end.stream.write(bytes, () => {
        this.sent += length
        this.feed()
      })
    }
  }
}
