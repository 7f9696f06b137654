import { type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import { IpFilter } from '../filter/ipFilter.ts'
import { PortFilter } from '../filter/portFilter.ts'
import type { TorrentFilters } from '../torrent/peerFilter.ts'

/** The filters of a session: copies, which nobody changes. */
export class AddressFilters implements TorrentFilters {
  private ip = new IpFilter()
  private ports = new PortFilter()
  /** The IP filter says something. Asked with every packet of the DHT. */
  hasIpRules = false
  private hasPortRules = false
  /** What is exempt from the IP filter. */
  private readonly exempt = new Set<object>()

  get ipFilter(): IpFilter {
    return this.ip.clone()
  }

  set ipFilter(filter: IpFilter) {
    this.ip = filter.clone()
    this.hasIpRules = !this.ip.isEmpty
  }

  get portFilter(): PortFilter {
    return this.ports.clone()
  }

  set portFilter(filter: PortFilter) {
    this.ports = filter.clone()
    this.hasPortRules = !this.ports.isEmpty
  }

  isBlocked(address: string): boolean {
    return this.hasIpRules && this.ip.isBlocked(address)
  }

  isPortBlocked(port: number): boolean {
    return this.hasPortRules && this.ports.isBlocked(port)
  }

  /** Whether nobody at this address may connect to any torrent. With one that is exempt it is the torrent's to say. */
  refusesAll(address: string): boolean {
    return this.exempt.size === 0 && this.isBlocked(address)
  }

  setExempt(torrent: object, isExempt: boolean): void {
    if (isExempt) this.exempt.add(torrent)
    else this.exempt.delete(torrent)
  }

  /** Why an address is not to be spoken to, or null. */
  refusal(address: string): LibtorrentError | null {
    return this.isBlocked(address) ? libtorrentError('bannedByIpFilter', { operation: 'connect' }) : null
  }
}
