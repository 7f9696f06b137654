import { normalizeAddress } from '../address/addressBytes.ts'
import { isLoopback, isUnspecified } from '../address/classify.ts'
import { isV6 } from '../address/endpoint.ts'
import { sameSubnet } from '../address/subnet.ts'
import type { Clock } from '../platform/clock.ts'
import type { LocalNetwork, NetworkInterface } from '../platform/localNetwork.ts'
import type { Settings } from '../settings/settings.ts'
import type { Millis } from '../util/flavored.ts'
import { addressesOf, type ListenInterface, parseListenInterfaces } from './listenInterfaces.ts'

export interface OutgoingAddressesHost {
  readonly clock: Clock
  readonly localNetwork: LocalNetwork
  readonly settings: Readonly<Pick<Settings, 'listenInterfaces' | 'outgoingInterfaces'>>
}

/** What the system was asked stays true so long, for the purpose. */
const SNAPSHOT_LIFE_MS: Millis = 1000

/**
 * From which of our addresses connections to peers are opened: those of the torrent (`use_interface`), else those of
 * `outgoing_interfaces`, in turn; else, if `listen_interfaces` names particular ones, those. Who names addresses or devices
 * does not want anything to leave by another way: where none of them can serve, no connection is made.
 */
export class OutgoingAddresses {
  private turn = 0
  private snapshot: readonly NetworkInterface[] = []
  private snapshotAt = Number.NEGATIVE_INFINITY

  constructor(private readonly host: OutgoingAddressesHost) {}

  /** The address to connect to `remote` from; undefined: any; null: there is none to use. `own` are the torrent's. */
  choose(remote: string, own: readonly string[]): string | null | undefined {
    const { settings } = this.host
    const named = own.length > 0 ? own : splitInterfaces(settings.outgoingInterfaces)
    if (named.length > 0) return this.inTurn(this.usable(named, remote))
    const listening = parseListenInterfaces(settings.listenInterfaces).map(({ device }: ListenInterface) => device)
    // Loopback addresses reach nothing but this machine: those who listen there do not mean to say more.
    if (listening.every((name) => isUnspecified(name) || isLoopback(name))) return undefined
    if (listening.some((name) => isUnspecified(name) && isV6(name) === isV6(remote))) return undefined
    return this.nearest(this.usable(listening, remote), remote)
  }

  /** The addresses, of the family of `remote`, that the names stand for now. */
  private usable(names: readonly string[], remote: string): string[] {
    const addresses = names.flatMap((name) => {
      const address = normalizeAddress(name)
      return address === null ? addressesOf(name, this.present) : [address]
    })
    return addresses.filter((address) => isV6(address) === isV6(remote))
  }

  private inTurn(addresses: readonly string[]): string | null {
    return addresses.length === 0 ? null : addresses[this.turn++ % addresses.length]
  }

  /** One of the network the peer is in, if there is one. */
  private nearest(addresses: readonly string[], remote: string): string | null {
    if (addresses.length <= 1) return addresses[0] ?? null
    const near = this.present.find(
      ({ address, prefixLength }) => addresses.includes(address) && sameSubnet(address, remote, prefixLength),
    )
    return near?.address ?? this.inTurn(addresses)
  }

  private get present(): readonly NetworkInterface[] {
    const now = this.host.clock.now()
    if (now - this.snapshotAt > SNAPSHOT_LIFE_MS) {
      this.snapshotAt = now
      this.snapshot = this.host.localNetwork.interfaces()
    }
    return this.snapshot
  }
}

/** `10.0.0.1, tun0` as a list. */
export function splitInterfaces(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
