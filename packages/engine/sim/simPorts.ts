import type { Endpoint } from '../src/address/endpoint.ts'
import { isV6 } from '../src/address/endpoint.ts'

/** First port of those given out when a program asks for port 0. */
const FIRST_EPHEMERAL_PORT = 32_768

export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}

interface Binding<T> {
  readonly local: Endpoint
  readonly owner: T
}

/** Which sockets of one protocol hold which ports of one host. */
export class SimPorts<T> {
  private readonly byPort = new Map<number, Binding<T>[]>()
  private nextEphemeral = FIRST_EPHEMERAL_PORT

  get size(): number {
    let size = 0
    for (const bindings of this.byPort.values()) size += bindings.length
    return size
  }

  /** True when binding `local` would clash: same port, and same address or a wildcard of that family on either side. */
  isTaken(local: Endpoint): boolean {
    return (this.byPort.get(local.port) ?? []).some(
      ({ local: { address } }) =>
        address === local.address ||
        (isV6(address) === isV6(local.address) && (isWildcard(address) || isWildcard(local.address))),
    )
  }

  /** Binds `local`, choosing a port for 0. Null when the port is taken. */
  bind(local: Endpoint, owner: T): Endpoint | null {
    const bound = local.port === 0 ? { address: local.address, port: this.freePort(local.address) } : local
    if (this.isTaken(bound)) return null
    const bindings = this.byPort.get(bound.port)
    if (bindings === undefined) this.byPort.set(bound.port, [{ local: bound, owner }])
    else bindings.push({ local: bound, owner })
    return bound
  }

  release(local: Endpoint, owner: T): void {
    const left = (this.byPort.get(local.port) ?? []).filter((binding) => binding.owner !== owner)
    if (left.length === 0) this.byPort.delete(local.port)
    else this.byPort.set(local.port, left)
  }

  owners(): readonly T[] {
    return [...this.byPort.values()].flatMap((bindings) => bindings.map(({ owner }) => owner))
  }

  /** Who gets what is sent to `local`: the socket bound to just that address, else one bound to all of its family. */
  find(local: Endpoint): T | null {
    let wild: T | null = null
    for (const { local: bound, owner } of this.byPort.get(local.port) ?? []) {
      if (bound.address === local.address) return owner
      if (isWildcard(bound.address) && isV6(bound.address) === isV6(local.address)) wild = owner
    }
    return wild
  }

  /** A port nobody has, for the source of an outgoing connection or for a bind to port 0. */
  freePort(address: string): number {
    for (let tries = 0; tries < 65_536 - FIRST_EPHEMERAL_PORT; tries++) {
      const port = this.nextEphemeral
      this.nextEphemeral = port === 65_535 ? FIRST_EPHEMERAL_PORT : port + 1
      if (!this.isTaken({ address, port })) return port
    }
    throw new Error(`no free port left on ${address}`)
  }
}
