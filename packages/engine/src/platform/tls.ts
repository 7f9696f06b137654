import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { Stream, StreamHandler } from './tcp.ts'

/** The names a certificate was issued for, as they stand in it. */
export interface CertificateNames {
  /** SubjectAltName fields of type dNSName. */
  readonly dnsNames: readonly Uint8Array[]
  /** The last Common Name of the subject; null when it has none. */
  readonly commonName: Uint8Array | null
}

/** What proves who we are. All but `passphrase` are PEM text. */
export interface TlsIdentity {
  /** Our certificate, and after it those between it and the root certificate, if there are any. */
  readonly certificate: string
  readonly privateKey: string
  /** Diffie-Hellman parameters for old clients; empty: none, the key exchange is then by elliptic curves. */
  readonly dhParams: string
  /** Opens `privateKey` if it is encrypted. */
  readonly passphrase: string
}

/** An identity and the one certificate that others' must be signed by, ready for handshakes. Made by `Tls.newContext`. */
export interface TlsContext {
  /** The names of our own certificate; none when there is no identity. */
  readonly names: CertificateNames
}

/** How a TLS connection is opened. */
export interface TlsClientOptions {
  /** What we show, and whom we trust. */
  readonly context: TlsContext
  /** Told to the other side before anything else, in the clear (SNI). */
  readonly serverName: string
  /** Whether a certificate with these names, signed as it must be, is one we want to talk to. */
  readonly verify: (names: CertificateNames) => boolean
}

/** How a TLS connection that a stranger opened is answered. */
export interface TlsServerOptions {
  /**
   * What to answer with to somebody who asks for `serverName`; null refuses. Called at most once, before anything costly is
   * computed. Who asks for nothing is refused.
   */
  readonly contextFor: (serverName: string) => TlsContext | null
  /** As for clients. */
  readonly verify: (names: CertificateNames) => boolean
}

/**
 * TLS between two peers that know each other by certificates of one root. Both sides show one, no session is taken up
 * again, nothing is negotiated anew, and versions before 1.2 are refused.
 *
 * The streams returned take the place of the one given, which from then on belongs to them. Their `onConnected` is called
 * when the other side's certificate is verified; whatever fails before that is `onClosed` with operation `sslHandshake`.
 */
export interface Tls {
  /**
   * The error says which part is wrong, and how. Without `identity` nothing is shown to others: of use for web servers,
   * none for peers.
   */
  newContext(rootCertificate: string, identity: TlsIdentity | null): TlsContext | LibtorrentError
  /** `stream` may be connecting still. */
  connect(stream: Stream, options: TlsClientOptions, handler: StreamHandler): Stream
  /** `stream` was accepted; a handler must be set on what is returned before the next event. */
  accept(stream: Stream, options: TlsServerOptions): Stream
}
