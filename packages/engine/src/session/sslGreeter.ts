import type { Clock } from '../platform/clock.ts'
import type { Stream } from '../platform/tcp.ts'
import type { CertificateNames, Tls, TlsClientOptions, TlsContext } from '../platform/tls.ts'
import { infoHashOfServerName } from '../ssl/serverName.ts'
import { HandshakeBudget } from './handshakeBudget.ts'

/** A torrent somebody may ask for by its info-hash. */
interface SslTarget {
  /** Null: it takes no TLS connections. */
  readonly ssl: { readonly tls: TlsClientOptions | null }
}

export interface SslGreeterHost {
  readonly clock: Clock
  readonly tls: Tls
  targetOf(infoHash: Uint8Array): SslTarget | null
}

/** A TLS handshake that a stranger began, and whom it is with. */
export class SslGreeting {
  readonly stream: Stream
  /** The torrent that was asked for, null until then. */
  target: SslTarget | null = null
  private tls: TlsClientOptions | null = null

  constructor(
    private readonly host: SslGreeterHost,
    private readonly budget: HandshakeBudget,
    stream: Stream,
  ) {
    const { address } = stream.remote
    this.stream = host.tls.accept(stream, {
      contextFor: (serverName) => this.contextFor(serverName, address),
      verify: (names: CertificateNames) => this.tls?.verify(names) ?? false,
    })
  }

  private contextFor(serverName: string, address: string): TlsContext | null {
    const infoHash = infoHashOfServerName(serverName)
    const target = infoHash === null ? null : this.host.targetOf(infoHash.bytes)
    if (target === null || target.ssl.tls === null || !this.budget.take(address)) return null
    this.target = target
    this.tls = target.ssl.tls
    return this.tls.context
  }
}

/**
 * Answers TLS connections to the sockets for SSL torrents: the server name says which torrent is meant, whose root
 * certificate then judges the stranger's. Until that much is known nothing costly is computed, and what is computed then is
 * limited.
 */
export class SslGreeter {
  private readonly budget: HandshakeBudget

  constructor(private readonly host: SslGreeterHost) {
    this.budget = new HandshakeBudget(host.clock)
  }

  greet(stream: Stream): SslGreeting {
    return new SslGreeting(this.host, this.budget, stream)
  }
}
