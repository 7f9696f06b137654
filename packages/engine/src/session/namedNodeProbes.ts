import type { Endpoint } from '../address/endpoint.ts'
import { bdecode } from '../bencode/bdecode.ts'
import { bencode } from '../bencode/bencode.ts'
import type { Timer, Timers } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import { equalBytes } from '../util/bytes.ts'
import type { Millis } from '../util/flavored.ts'

export interface NamedNodeProbesHost {
  readonly timers: Timers
  readonly random: Random
  /** Sends by any of our sockets; does nothing while none is open. */
  send(packet: Uint8Array, to: Endpoint): void
}

const TRANSACTION_BYTES = 8
/** A ping is sent so often, and then so long waited for. */
const TRIES = 5
const FIRST_WAIT_MS: Millis = 1_000
/** Nodes asked at once; others are left out. */
const MAX_PROBES = 50
const DECODE_LIMITS = { depth: 5, tokens: 200 }

interface Probe {
  readonly transaction: Uint8Array
  readonly found: (address: string) => void
  timer: Timer | null
}

/**
 * Finds the addresses of DHT nodes whose names only the proxy may look up: a ping (BEP 5) is sent to the name, and the
 * answer comes from the address. Only who knows the transaction id is believed.
 */
export class NamedNodeProbes {
  private readonly probes = new Set<Probe>()

  constructor(private readonly host: NamedNodeProbesHost) {}

  /** Asks for the address of `name`; `found` is called when, and if, it answers. */
  ask(name: string, port: number, found: (address: string) => void): void {
    if (this.probes.size >= MAX_PROBES) return
    const probe: Probe = { transaction: this.bytes(TRANSACTION_BYTES), found, timer: null }
    this.probes.add(probe)
    // Nothing about us is in it: the id is another each time, and we answer nobody (BEP 43).
    const question = { a: { id: this.bytes(20) }, q: 'ping', ro: 1, t: probe.transaction, y: 'q' }
    this.send(probe, bencode(question), { address: name, port }, 0)
  }

  /** True when the packet was an answer to us. */
  onPacket(packet: Uint8Array, from: Endpoint): boolean {
    if (this.probes.size === 0) return false
    const decoded = bdecode(packet, DECODE_LIMITS)
    const transaction = decoded.ok ? (decoded.root.getString('t') ?? null) : null
    if (transaction === null) return false
    for (const probe of this.probes) {
      if (!equalBytes(probe.transaction, transaction)) continue
      this.end(probe)
      probe.found(from.address)
      return true
    }
    return false
  }

  stop(): void {
    for (const probe of this.probes) this.end(probe)
  }

  private send(probe: Probe, packet: Uint8Array, to: Endpoint, tries: number): void {
    if (tries === TRIES) return this.end(probe)
    this.host.send(packet, to)
    probe.timer = this.host.timers.after(FIRST_WAIT_MS * 2 ** tries, () => this.send(probe, packet, to, tries + 1))
  }

  private end(probe: Probe): void {
    probe.timer?.cancel()
    this.probes.delete(probe)
  }

  private bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.host.random.below(256))
  }
}
