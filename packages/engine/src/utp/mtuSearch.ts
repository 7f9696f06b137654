import { isLoopback } from '../address/classify.ts'
import { isV6 } from '../address/endpoint.ts'

/** IP and UDP headers. */
const V4_HEADERS = 28
const V6_HEADERS = 48
/** What every path carries: the smallest MTU of IPv4 hosts that counts in practice, and IPv6's. */
const V4_LEAST_MTU = 576
const V6_LEAST_MTU = 1280
const ETHERNET_MTU = 1500
/** What PPPoE takes of it: most lines that carry less than Ethernet are telephone lines. */
const PPPOE_BYTES = 8
/** Inside one machine: large enough that the cost of a packet does not matter, small enough for the system's buffers. */
const LOOPBACK_PACKET_BYTES = 16 * 1024
/** Closer than this it is not looked for. */
const PRECISION_BYTES = 16
/** Probes may get lost like other packets: one loss says nothing. */
const TRIES = 2

/**
 * Finds the largest packet that gets through (RFC 4821): sizes between what is known to work and what may are tried. A
 * probe says by padding how large it is, not by data, so that nothing is lost with it: should it have to be sent
 * again, the padding is left out.
 *
 * Node cannot forbid that packets are cut in pieces on their way. By itself Linux forbids it, until a router complains of
 * a packet: that one is lost, and from then on Linux cuts itself what is too large for that path, so that any size gets
 * through. The first loss is therefore believed, and PPPoE's size tried next. Where the way is narrower still and pieces
 * arrive, packets go in two pieces: slower, and nothing is lost. Other systems leave cutting to the routers.
 */
export class MtuSearch {
  private readonly ethernet: number
  private known: number
  private ceiling: number
  private tries = 0

  constructor(remote: string, allowLarge: boolean) {
    const v6 = isV6(remote)
    this.known = v6 ? V6_LEAST_MTU - V6_HEADERS : V4_LEAST_MTU - V4_HEADERS
    this.ethernet = v6 ? ETHERNET_MTU - V6_HEADERS : ETHERNET_MTU - V4_HEADERS
    this.ceiling = allowLarge && isLoopback(remote) ? LOOPBACK_PACKET_BYTES : this.ethernet
  }

  /** Largest UDP payload known to get through. */
  get packetBytes(): number {
    return this.known
  }

  /** The size to try next; 0: it is known. */
  get nextProbe(): number {
    if (this.ceiling > this.ethernet) return this.known >= this.ethernet ? 0 : this.ceiling
    if (this.ceiling - this.known < PRECISION_BYTES) return 0
    // Most paths carry what Ethernet does: that is tried first.
    return this.ceiling >= this.ethernet - PPPOE_BYTES ? this.ceiling : (this.ceiling + this.known) >> 1
  }

  /** Whether a packet is larger than programs have to expect. */
  isLarge(size: number): boolean {
    return size > this.ethernet
  }

  /** A packet of that size got through. */
  gotThrough(size: number): void {
    this.known = Math.max(this.known, size)
    this.ceiling = Math.max(this.ceiling, this.known)
    this.tries = 0
  }

  /** A packet of that size was lost. */
  gotLost(size: number): void {
    if (size <= this.known) return
    // What is beyond Ethernet is answered by programs made for it, and not by others, however often they are asked.
    if (size > this.ethernet) this.ceiling = this.ethernet
    else if (size === this.ethernet) this.ceiling = size - PPPOE_BYTES
    else if (++this.tries >= TRIES) {
      this.ceiling = size - 1
      this.tries = 0
    }
  }
}
