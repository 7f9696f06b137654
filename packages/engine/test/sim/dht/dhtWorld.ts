import { SeededRandom } from '../../../sim/seededRandom.ts'
import { VirtualTime } from '../../../sim/virtualTime.ts'
import { addressToBytes } from '../../../src/address/addressBytes.ts'
import type { Endpoint } from '../../../src/address/endpoint.ts'
import { generateNodeId } from '../../../src/address/secureNodeId.ts'
import { Dht } from '../../../src/dht/dht.ts'
import type { DhtHost } from '../../../src/dht/dhtHost.ts'
import type { DhtNode } from '../../../src/dht/dhtNode.ts'
import { type DhtSettings, defaultDhtSettings } from '../../../src/dht/dhtSettings.ts'
import type { DhtState } from '../../../src/dht/dhtState.ts'
import { contactOf } from '../../../src/dht/nodeContact.ts'
import { compareBytes } from '../../../src/util/bytes.ts'
import type { Sha1Hash } from '../../../src/util/digest.ts'
import type { Millis } from '../../../src/util/flavored.ts'

/** Who gets packets sent to an address. */
export interface Receiver {
  incoming(packet: Uint8Array, from: Endpoint): unknown
}

/** A simulated program with a DHT of one node. */
export interface SimDht {
  readonly dht: Dht
  readonly node: DhtNode
  readonly endpoint: Endpoint
}

export interface DhtWorldOptions {
  readonly seed?: number
  /** Probability that a packet is lost. */
  readonly loss?: number
  readonly settings?: Partial<DhtSettings>
}

interface Packet {
  readonly bytes: Uint8Array
  readonly from: Endpoint
  readonly to: Endpoint
}

const keyOf = (endpoint: Endpoint): string => `${endpoint.address} ${endpoint.port}`

/**
 * UDP between thousands of DHT nodes in virtual time, and nothing else: each packet takes 5 to 155 ms, depending on the
 * two ends, or is lost. Much lighter than the simulator's network, which carries streams over lines of a given width.
 */
export class DhtWorld {
  readonly time = new VirtualTime({ maxEventsPerInstant: 1_000_000 })
  readonly random: SeededRandom
  readonly settings: DhtSettings
  private readonly receivers = new Map<string, Receiver>()
  private readonly loss: number
  packets = 0
  /** Sees every packet that is sent. */
  onPacket: ((packet: Packet) => void) | null = null

  constructor(options: DhtWorldOptions = {}) {
    this.random = new SeededRandom(options.seed ?? 1)
    this.loss = options.loss ?? 0
    this.settings = { ...defaultDhtSettings, ...options.settings }
  }

  /** A public address nobody has, in a /24 of its own. */
  newAddress(n: number): string {
    return `${60 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}.${1 + (n % 250)}`
  }

  /** Adds a node that has not joined yet. Its id fits its address (BEP 42) unless one is given. */
  add(endpoint: Endpoint, options: { id?: Uint8Array; state?: DhtState; host?: Partial<DhtHost> } = {}): SimDht {
    const id = options.id ?? generateNodeId(addressToBytes(endpoint.address)!, this.random)
    const state = options.state ?? { nodeIds: [{ address: endpoint.address, id }], nodes: [], nodes6: [] }
    const dht = new Dht(
      { clock: this.time, timers: this.time, random: this.random, settings: this.settings, ...options.host },
      state,
    )
    const node = dht.addSocket({ local: endpoint, send: (packet, to) => this.send(packet, endpoint, to) })
    this.listen(endpoint, node)
    return { dht, node, endpoint }
  }

  listen(endpoint: Endpoint, receiver: Receiver): void {
    this.receivers.set(keyOf(endpoint), receiver)
  }

  /** The program is gone; packets to it vanish. */
  kill({ dht, endpoint }: SimDht): void {
    this.receivers.delete(keyOf(endpoint))
    dht.stop()
  }

  send(bytes: Uint8Array, from: Endpoint, to: Endpoint): void {
    this.packets++
    this.onPacket?.({ bytes, from, to })
    if (this.loss > 0 && this.random.chance(this.loss)) return
    const key = keyOf(to)
    if (!this.receivers.has(key)) return
    const copy = new Uint8Array(bytes)
    this.time.after(this.latency(from, to), () => this.receivers.get(key)?.incoming(copy, from))
  }

  private latency(from: Endpoint, to: Endpoint): Millis {
    const hash = (text: string) => {
      let value = 7
      for (let i = 0; i < text.length; i++) value = (value * 31 + text.charCodeAt(i)) & 0xffff
      return value
    }
    return 5 + ((hash(from.address) ^ hash(to.address)) % 150)
  }
}

/** A network of `count` nodes that join one after the other, each over three that were there before. */
export function grownNetwork(world: DhtWorld, count: number, joinInterval: Millis): SimDht[] {
  const all: SimDht[] = []
  for (let i = 0; i < count; i++) {
    const sim = world.add({ address: world.newAddress(i), port: 6881 })
    for (let k = 0; k < 3 && all.length > 0; k++) sim.dht.addRouter(all[world.random.below(all.length)].endpoint)
    all.push(sim)
    sim.dht.start()
    world.time.run(joinInterval)
  }
  return all
}

/**
 * A network of `count` nodes as it is after many hours, without simulating them: each knows `known` others by chance,
 * and those closest to it.
 */
export function settledNetwork(world: DhtWorld, count: number, known = 60): SimDht[] {
  const all = Array.from({ length: count }, (_, i) => world.add({ address: world.newAddress(i), port: 6881 }))
  const contacts = all.map(({ endpoint }) => contactOf(endpoint)!)
  const byId = all.map((_, i) => i).sort((a, b) => compareBytes(all[a].node.ownId, all[b].node.ownId))
  byId.forEach((self, place) => {
    const know = (other: number) => {
      if (other !== self) all[self].node.table.nodeSeen(all[other].node.ownId, contacts[other], 80)
    }
    for (let d = 1; d <= 8; d++) {
      know(byId[(place + d) % count])
      know(byId[(place + count - d) % count])
    }
    for (let k = 0; k < known; k++) know(world.random.below(count))
  })
  for (const { dht } of all) dht.start()
  return all
}

/** What a lookup of `sim` came to. */
export interface LookupResult {
  readonly peers: ReadonlySet<string>
  /** Questions it asked. */
  readonly questions: number
}

/** Looks for peers and waits for the end. */
export function lookup(world: DhtWorld, sim: SimDht, infoHash: Sha1Hash): LookupResult {
  const peers = new Set<string>()
  let questions = 0
  let done = false
  const { onPacket } = world
  const key = infoHash.toHex()
  world.onPacket = (packet) => {
    if (packet.from === sim.endpoint && Buffer.from(packet.bytes).toString('hex').includes(key)) questions++
    onPacket?.(packet)
  }
  sim.dht.getPeers(
    infoHash,
    {},
    {
      onPeers: (found) => {
        for (const { address, port } of found) peers.add(`${address}:${port}`)
      },
      onDone: () => {
        done = true
      },
    },
  )
  world.time.runUntil(() => done, { minutes: 5 })
  world.onPacket = onPacket
  return { peers, questions }
}

/** Announces and waits for the end; how many nodes took it. */
export function announce(world: DhtWorld, sim: SimDht, infoHash: Sha1Hash, port: number): number {
  let taken = -1
  sim.dht.announce(
    infoHash,
    { port },
    {
      onDone: (numNodes) => {
        taken = numNodes
      },
    },
  )
  world.time.runUntil(() => taken >= 0, { minutes: 5 })
  return taken
}
