import type { Millis } from '../src/util/flavored.ts'
import type { SeededRandom } from './seededRandom.ts'
import { SimGroups } from './simGroups.ts'
import { type HostOptions, isLoopback, SimHost } from './simHost.ts'
import type { SimLog } from './simLog.ts'
import type { VirtualTime } from './virtualTime.ts'

/** One-way delay inside a machine. */
const LOOPBACK_LATENCY: Millis = 0.05

/** How `onData` chunks are cut. `random`: at every place, by seed. `whole`: as they arrive. */
export type Chunking = 'random' | 'whole'

/** Fixes properties of the way from one host to another, instead of what follows from their lines. */
export interface PathOptions {
  /** One-way delay of the whole path. */
  readonly latency?: Millis
  /** Probability that a UDP packet is lost. */
  readonly loss?: number
}

/** Order of delivery within a stream: nothing arrives before what was sent earlier. */
export interface Channel {
  lastArrival: Millis
}

/** A connection, as fault injection sees it. */
export interface Severable {
  readonly host: SimHost
  readonly remoteHost: SimHost | null
  /** Both ends learn that the connection was reset. */
  sever(): void
}

/**
 * The network between hosts. It is as fast as the lines at both ends allow; faults are injected here: partitions,
 * hosts that are off, addresses that swallow everything, connections that break.
 */
export class SimNetwork {
  private readonly hostsByName = new Map<string, SimHost>()
  private readonly hostsByAddress = new Map<string, SimHost>()
  private readonly paths = new Map<string, PathOptions>()
  private readonly blocked = new Set<string>()
  private readonly unplugged = new Set<SimHost>()
  private readonly blackHoles = new Set<string>()
  private readonly connections = new Set<Severable>()
  private readonly scratch = Buffer.alloc(64 * 1024)
  /** Who listens to which multicast group. */
  readonly groups = new SimGroups()
  chunking: Chunking = 'random'

  constructor(
    readonly time: VirtualTime,
    readonly random: SeededRandom,
    readonly log: SimLog,
  ) {}

  /** Adds a machine. @throws when the name or an address is taken. */
  addHost(name: string, options: HostOptions = {}): SimHost {
    if (this.hostsByName.has(name)) throw new Error(`there is a host ${name} already`)
    const n = this.hostsByName.size + 1
    const host = new SimHost(this.time, name, { ...options, address: options.address ?? `50.1.${n >> 8}.${n & 255}` })
    for (const address of outsideAddresses(host)) {
      const owner = this.hostsByAddress.get(address)
      if (owner !== undefined) throw new Error(`${address} belongs to ${owner.name} already`)
      this.hostsByAddress.set(address, host)
    }
    this.hostsByName.set(name, host)
    return host
  }

  get hosts(): readonly SimHost[] {
    return [...this.hostsByName.values()]
  }

  hostNamed(name: string): SimHost | null {
    return this.hostsByName.get(name) ?? null
  }

  /**
   * The host gets other addresses: a new lease, another network, a VPN that comes or goes. Its connections break; its
   * listeners and UDP sockets stay, and those bound to an address that is gone reach nobody.
   * @throws when an address is taken.
   */
  renumber(host: SimHost, addresses: string | readonly string[]): void {
    const wanted = typeof addresses === 'string' ? [addresses] : addresses
    for (const address of wanted) {
      const owner = this.hostsByAddress.get(address)
      if (owner !== undefined && owner !== host) throw new Error(`${address} belongs to ${owner.name} already`)
    }
    for (const address of host.addresses) this.hostsByAddress.delete(address)
    for (const address of wanted) this.hostsByAddress.set(address, host)
    host.addresses = [...wanted]
    this.dropConnections(host)
    this.log.add(`renumber ${host.name} ${wanted.join(' ')}`)
  }

  /** The host that `from` reaches under `address`, or null when nobody has it. */
  hostAt(address: string, from: SimHost): SimHost | null {
    // An address behind a router means something there only.
    if (isLoopback(address) || from.addresses.includes(address)) return from
    return this.hostsByAddress.get(address) ?? null
  }

  /** Sets properties of the path from `from` to `to`, in that direction only. */
  setPath(from: SimHost, to: SimHost, options: PathOptions): void {
    this.paths.set(pathKey(from, to), options)
  }

  /** Nothing gets from the hosts of one side to those of the other, in either direction, until `heal`. */
  partition(side: readonly SimHost[], other: readonly SimHost[]): void {
    for (const a of side) {
      for (const b of other) {
        this.blocked.add(pathKey(a, b))
        this.blocked.add(pathKey(b, a))
      }
    }
    this.log.add(`partition ${side.map((h) => h.name)} | ${other.map((h) => h.name)}`)
  }

  /** Ends all partitions. */
  heal(): void {
    this.blocked.clear()
    this.log.add('heal')
  }

  /** Pulls the host's cable: nothing goes in or out, and nobody is told. */
  unplug(host: SimHost): void {
    this.unplugged.add(host)
    this.log.add(`unplug ${host.name}`)
  }

  plugIn(host: SimHost): void {
    this.unplugged.delete(host)
    this.log.add(`plug in ${host.name}`)
  }

  /** What is sent to `address`, which belongs to no host, vanishes; other unknown addresses answer "unreachable". */
  blackHole(address: string): void {
    this.blackHoles.add(address)
  }

  isBlackHole(address: string): boolean {
    return this.blackHoles.has(address)
  }

  /** True when packets from `from` do not arrive at `to` now. */
  isBlocked(from: SimHost, to: SimHost): boolean {
    if (from === to) return false
    return this.unplugged.has(from) || this.unplugged.has(to) || this.blocked.has(pathKey(from, to))
  }

  /** Resets every open connection between the two hosts, or all of `a` when `b` is left out. Returns how many. */
  dropConnections(a: SimHost, b?: SimHost): number {
    let dropped = 0
    for (const connection of [...this.connections]) {
      const { host, remoteHost } = connection
      if (host !== a && remoteHost !== a) continue
      if (b !== undefined && host !== b && remoteHost !== b) continue
      connection.sever()
      dropped++
    }
    return dropped
  }

  /** Open TCP connections. */
  get connectionCount(): number {
    return this.connections.size
  }

  connectionOpened(connection: Severable): void {
    this.connections.add(connection)
  }

  connectionClosed(connection: Severable): void {
    this.connections.delete(connection)
  }

  /** One-way delay from one host to the other, without jitter and queues. */
  latency(from: SimHost, to: SimHost): Millis {
    if (from === to) return LOOPBACK_LATENCY
    return this.paths.get(pathKey(from, to))?.latency ?? from.latency + to.latency
  }

  /** A packet without weight (a handshake, an acknowledgement, a reset); it is lost when the path is blocked. */
  control(from: SimHost, to: SimHost, deliver: () => void): void {
    if (this.isBlocked(from, to)) return
    this.time.after(this.latency(from, to), deliver)
  }

  /**
   * Carries `size` bytes of a stream that have left `from`. They arrive after everything sent on `channel` before.
   * `deliver` is told whether they met a full queue.
   */
  carryInOrder(
    from: SimHost,
    to: SimHost,
    size: number,
    channel: Channel,
    deliver: (congested: boolean) => void,
  ): void {
    const now = this.time.now()
    const arrival = Math.max(channel.lastArrival, now + this.latency(from, to) + this.jitter(from, to))
    channel.lastArrival = arrival
    this.time.after(arrival - now, () => {
      if (from === to) return deliver(false)
      const congested = to.downlink.queuedBytes > to.queueBytes
      to.downlink.receive(size, () => deliver(congested))
    })
  }

  /** Carries one datagram, which may be lost, late, or doubled. */
  carryDatagram(from: SimHost, to: SimHost, size: number, deliver: () => void): void {
    if (this.isBlocked(from, to)) return
    if (from === to) {
      this.time.after(LOOPBACK_LATENCY, deliver)
      return
    }
    if ((from.mtu > 0 && size > from.mtu) || (to.mtu > 0 && size > to.mtu)) {
      return this.log.add(`too large ${size} ${from.name}>${to.name}`)
    }
    const loss = this.paths.get(pathKey(from, to))?.loss ?? 1 - (1 - from.loss) * (1 - to.loss)
    if (this.random.chance(loss)) return this.log.add(`lost ${size} ${from.name}>${to.name}`)
    const copies = this.random.chance(Math.max(from.duplicate, to.duplicate)) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      let delay = this.latency(from, to) + this.jitter(from, to)
      if (copy > 0 || this.random.chance(Math.max(from.reorder, to.reorder))) {
        delay += this.random.fraction() * Math.max(20, 2 * delay)
      }
      this.time.after(delay, () => {
        if (to.downlink.queuedBytes + size > to.queueBytes) {
          return this.log.add(`dropped ${size} ${from.name}>${to.name}`)
        }
        to.downlink.receive(size, deliver)
      })
    }
  }

  /** How many of `available` bytes the next `onData` brings; `before` bytes came earlier on that stream. */
  chunkSize(available: number, before: number): number {
    const most = Math.min(available, this.scratch.length)
    if (this.chunking === 'whole') return most
    // The first bytes of a stream carry handshakes: cut them finely. Later cuts are rarer, to save time.
    const tiny = before < 4096 ? 0.2 : 0.02
    const draw = this.random.fraction()
    if (draw < tiny) return 1 + this.random.below(Math.min(20, most))
    return draw < tiny + 0.2 ? 1 + this.random.below(most) : most
  }

  /**
   * A buffer for the length of one callback. It is shared and overwritten afterwards, so that a receiver that keeps
   * the view it was lent sees rubbish in the simulator already. It is a `Buffer`, as with Node's sockets: its `slice`
   * is no copy.
   */
  lend(length: number, use: (view: Uint8Array) => void): void {
    const view = this.scratch.subarray(0, length)
    use(view)
    view.fill(0xdd)
  }

  private jitter(from: SimHost, to: SimHost): Millis {
    const most = from.jitter + to.jitter
    return from === to || most === 0 ? 0 : this.random.fraction() * most
  }
}

/** Where others reach the host: behind a translating router that is the router's address. */
function outsideAddresses({ nat, addresses }: SimHost): readonly string[] {
  const address = nat?.externalAddress ?? null
  return address === null ? addresses : [address]
}

function pathKey(from: SimHost, to: SimHost): string {
  return `${from.name}>${to.name}`
}
