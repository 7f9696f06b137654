import { type Endpoint, endpointText } from '../src/address/endpoint.ts'
import type { Millis } from '../src/util/flavored.ts'
import type { VirtualTime } from './virtualTime.ts'

/**
 * Which packets a router lets in, and whether one socket inside has one port outside:
 * - `fullCone`: one port; everybody may send there.
 * - `addressRestricted`: one port; those addresses may send there that were sent something.
 * - `portRestricted`: one port; those addresses and ports.
 * - `symmetric`: another port for each address and port that is sent something; only they may answer.
 * - `firewall`: no translation; addresses and ports that were sent something may answer. What IPv6 has at homes.
 */
export type NatKind = 'fullCone' | 'addressRestricted' | 'portRestricted' | 'symmetric' | 'firewall'

/** What kind of router a host is behind. */
export interface NatOptions {
  /** Whom it lets in. */
  readonly kind: NatKind
  /** Its address outside; of no use with `firewall`. */
  readonly externalAddress?: string
  /** How long after the last packet out it forgets. Default 60 s. */
  readonly timeout?: Millis
  /** The port outside is that inside where that is free. Default false: any. */
  readonly keepsPorts?: boolean
}

interface Mapping {
  readonly inside: Endpoint
  readonly outside: Endpoint
  /** Until when which remote ends may send something, by what the kind goes by. */
  readonly permits: Map<string, Millis>
  expiresAt: Millis
}

const FIRST_PORT = 20_000

/**
 * The router one host is behind (RFC 4787). UDP goes through mappings that packets out make and keep alive; those in
 * do not. Of TCP only this: connections out come from the address outside, and none comes in.
 */
export class SimNat {
  /** Packets that were let in, and that were not. */
  admitted = 0
  dropped = 0
  private mappings: Mapping[] = []
  private nextPort = FIRST_PORT

  constructor(
    private readonly time: VirtualTime,
    private readonly options: NatOptions,
  ) {}

  get externalAddress(): string | null {
    return this.options.kind === 'firewall' ? null : (this.options.externalAddress ?? null)
  }

  /** What the other side sees as the source of a TCP connection from `local`. */
  tcpSource(local: Endpoint): Endpoint {
    return { address: this.externalAddress ?? local.address, port: local.port }
  }

  /** A packet goes out; returns where it comes from for the world outside. */
  leave(inside: Endpoint, to: Endpoint): Endpoint {
    const now = this.time.now()
    const expiresAt = now + (this.options.timeout ?? 60_000)
    const mapping = this.mappingFor(inside, to, now)
    mapping.expiresAt = expiresAt
    mapping.permits.set(this.permitOf(to), expiresAt)
    return mapping.outside
  }

  /** A packet from `from` arrives for `outside`; returns whom inside it is for, or null when it is dropped. */
  enter(outside: Endpoint, from: Endpoint): Endpoint | null {
    const now = this.time.now()
    const text = endpointText(outside)
    const mapping = this.mappings.find((each) => each.expiresAt > now && endpointText(each.outside) === text)
    const isPermitted =
      mapping !== undefined &&
      (this.options.kind === 'fullCone' || (mapping.permits.get(this.permitOf(from)) ?? 0) > now)
    if (isPermitted) this.admitted++
    else this.dropped++
    return isPermitted ? mapping.inside : null
  }

  private permitOf(remote: Endpoint): string {
    return this.options.kind === 'addressRestricted' ? remote.address : endpointText(remote)
  }

  private mappingFor(inside: Endpoint, to: Endpoint, now: Millis): Mapping {
    const text = endpointText(inside)
    const found = this.mappings.find(
      (each) =>
        each.expiresAt > now &&
        endpointText(each.inside) === text &&
        (this.options.kind !== 'symmetric' || each.permits.has(endpointText(to))),
    )
    if (found !== undefined) return found
    this.mappings = this.mappings.filter((each) => each.expiresAt > now)
    const mapping = { inside, outside: this.outsideOf(inside), permits: new Map<string, Millis>(), expiresAt: 0 }
    this.mappings.push(mapping)
    return mapping
  }

  private outsideOf(inside: Endpoint): Endpoint {
    const address = this.externalAddress
    if (address === null) return inside
    const isFree = !this.mappings.some(({ outside }) => outside.port === inside.port)
    return { address, port: this.options.keepsPorts === true && isFree ? inside.port : this.nextPort++ }
  }
}
