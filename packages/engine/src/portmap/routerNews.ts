import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Lease } from './lease.ts'
import type { MapperHost } from './portMapperHost.ts'

/** What is told of the mappings at one router: changes, each once, whatever the protocol. */
export class RouterNews {
  private outside: string | null = null

  constructor(
    private readonly host: Pick<MapperHost, 'mapped' | 'failed' | 'externalAddress'>,
    private readonly router: string,
    private readonly localAddress: string,
  ) {}

  /** The router's address outside; null before it was told. */
  get externalAddress(): string | null {
    return this.outside
  }

  /** The router told its address outside. */
  onExternalAddress(address: string): void {
    if (address === this.outside) return
    this.outside = address
    this.host.externalAddress(address, this.router)
  }

  /** The router has mapped `lease.externalPort`, or has renewed it. */
  onMapped(lease: Lease): void {
    if (lease.reported === lease.externalPort) return
    lease.reported = lease.externalPort
    this.host.mapped(lease.mapping, lease.externalPort, this.outside, this.localAddress)
  }

  /** Told once until it is mapped again. */
  onFailed(lease: Lease, error: LibtorrentError): void {
    lease.reported = 0
    if (lease.failureReported) return
    lease.failureReported = true
    this.host.failed(lease.mapping, error, this.localAddress)
  }
}
