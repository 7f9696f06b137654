import type { Endpoint } from '../src/address/endpoint.ts'
import { endpointText } from '../src/address/endpoint.ts'
import { type LibtorrentError, libtorrentError } from '../src/errors/libtorrentError.ts'
import { type SocketType, securedType } from '../src/platform/socketType.ts'
import type { Stream, StreamHandler } from '../src/platform/tcp.ts'
import type {
  CertificateNames,
  Tls,
  TlsClientOptions,
  TlsContext,
  TlsIdentity,
  TlsServerOptions,
} from '../src/platform/tls.ts'
import { concatBytes, fromUtf8, readU16, utf8, writeU16 } from '../src/util/bytes.ts'
import type { SimProcess } from './simProcess.ts'

/** First byte of a message of the simulated handshake, as of a real one. */
const HANDSHAKE_BYTE = 0x16
const HEADER_BYTES = 3

/** A certificate as the simulator has it: its names and who signed it. */
interface SimCertificate {
  readonly signedBy: string
  readonly dnsNames: readonly string[]
  readonly commonName: string | null
}

interface ClientHello {
  readonly serverName: string
  readonly certificate: SimCertificate | null
}

interface ServerHello {
  /** Null: refused. */
  readonly certificate: SimCertificate | null
}

/** The root certificate of a simulated authority. */
export function simRootCertificate(authority: string): string {
  return JSON.stringify({ authority })
}

/** A certificate of a simulated authority; the key always fits. */
export function simIdentity(
  authority: string,
  dnsNames: readonly string[],
  commonName: string | null = null,
): TlsIdentity {
  const certificate: SimCertificate = { signedBy: authority, dnsNames, commonName }
  return { certificate: JSON.stringify(certificate), privateKey: 'key', dhParams: '', passphrase: '' }
}

const NO_CERTIFICATE: SimCertificate = { signedBy: '', dnsNames: [], commonName: null }

class SimTlsContext implements TlsContext {
  constructor(
    readonly authority: string,
    readonly certificate: SimCertificate,
  ) {}

  get names(): CertificateNames {
    return namesOf(this.certificate)
  }
}

/**
 * TLS as far as scenes need it: who shows which certificate, who refuses whom, in as many round trips. Nothing is
 * encrypted, and nothing is proven.
 */
export class SimTls implements Tls {
  constructor(private readonly process: SimProcess) {}

  newContext(rootCertificate: string, identity: TlsIdentity | null): TlsContext | LibtorrentError {
    const authority = authorityOf(rootCertificate)
    if (authority !== null && identity === null) return new SimTlsContext(authority, NO_CERTIFICATE)
    if (identity === null) return libtorrentError('invalidSslCert')
    const certificate = parse<SimCertificate>(identity.certificate)
    if (authority === null || certificate?.signedBy !== authority) return libtorrentError('invalidSslCert')
    return new SimTlsContext(authority, certificate)
  }

  connect(stream: Stream, { context, serverName, verify }: TlsClientOptions, handler: StreamHandler): Stream {
    const { authority, certificate } = context as SimTlsContext
    const secure = new SimTlsStream(this.process, stream, {
      greeting: { serverName, certificate } satisfies ClientHello,
      onHello: (hello: ServerHello) => (isTrusted(hello.certificate, authority, verify) ? null : refused()),
    })
    secure.setHandler(handler)
    return secure
  }

  accept(stream: Stream, { contextFor, verify }: TlsServerOptions): Stream {
    const secure = new SimTlsStream(this.process, stream, {
      greeting: null,
      onHello: (hello: ClientHello) => {
        const context = contextFor(hello.serverName) as SimTlsContext | null
        if (context === null) return libtorrentError('invalidInfoHash', { operation: 'sslHandshake' })
        if (!isTrusted(hello.certificate, context.authority, verify)) return refused()
        secure.answer({ certificate: context.certificate } satisfies ServerHello)
        return null
      },
    })
    return secure
  }
}

interface Script {
  /** What is said as soon as the connection stands; null: nothing, the other side begins. */
  readonly greeting: object | null
  /** Judges what the other side said. */
  readonly onHello: (hello: never) => LibtorrentError | null
}

/** One end of a simulated TLS connection. */
class SimTlsStream implements Stream, StreamHandler {
  readonly socketType: SocketType
  private state: 'handshaking' | 'open' | 'closed' = 'handshaking'
  private handler: StreamHandler | null = null
  private received: Uint8Array = new Uint8Array(0)

  constructor(
    private readonly process: SimProcess,
    private readonly below: Stream,
    private readonly script: Script,
  ) {
    this.socketType = securedType(below.socketType)
    below.setHandler(this)
    if (below.local !== null) this.greet()
  }

  get remote(): Endpoint {
    return this.below.remote
  }

  get local(): Endpoint | null {
    return this.below.local
  }

  get unsentBytes(): number {
    return this.below.unsentBytes
  }

  answer(message: object): void {
    this.below.write(framed(message))
  }

  private greet(): void {
    if (this.script.greeting !== null) this.answer(this.script.greeting)
  }

  // --- what the stream below says -------------------------------------------------------------------------------

  onConnected(): void {
    this.greet()
  }

  onData(chunk: Uint8Array): void {
    if (this.state === 'open') this.handler?.onData(chunk)
    else if (this.state === 'handshaking') this.onHandshakeBytes(concatBytes(this.received, chunk))
  }

  private onHandshakeBytes(bytes: Uint8Array): void {
    this.received = bytes
    if (bytes[0] !== HANDSHAKE_BYTE) return this.fail(refused())
    if (bytes.length < HEADER_BYTES) return
    const end = HEADER_BYTES + readU16(bytes, 1)
    if (bytes.length < end) return
    const hello = parse(fromUtf8(bytes.subarray(HEADER_BYTES, end)))
    const error = hello === null ? refused() : this.script.onHello(hello as never)
    if (error !== null) return this.fail(error)
    this.state = 'open'
    this.handler?.onConnected()
    if (bytes.length > end && this.isOpen) this.handler?.onData(bytes.slice(end))
  }

  onDrain(): void {
    this.handler?.onDrain()
  }

  onClosed(error: LibtorrentError | null): void {
    const { handler } = this
    this.state = 'closed'
    this.handler = null
    handler?.onClosed(error)
  }

  private fail(error: LibtorrentError): void {
    this.below.destroy()
    this.onClosed(error)
  }

  private get isOpen(): boolean {
    return this.state === 'open'
  }

  // --- what the program does ------------------------------------------------------------------------------------

  setHandler(handler: StreamHandler): void {
    this.handler = handler
  }

  write(bytes: Uint8Array, onSent?: () => void): boolean {
    if (this.isOpen) return this.below.write(bytes, onSent)
    if (this.state === 'handshaking')
      throw new Error(`nothing may be sent to ${endpointText(this.remote)} before onConnected`)
    if (onSent !== undefined) this.process.soon(onSent)
    return false
  }

  cork(): void {
    this.below.cork()
  }

  uncork(): void {
    this.below.uncork()
  }

  pauseReading(): void {
    this.below.pauseReading()
  }

  resumeReading(): void {
    this.below.resumeReading()
  }

  end(): void {
    this.below.end()
  }

  destroy(): void {
    this.state = 'closed'
    this.handler = null
    this.below.destroy()
  }
}

function framed(message: object): Uint8Array {
  const text = utf8(JSON.stringify(message))
  const header = new Uint8Array(HEADER_BYTES)
  header[0] = HANDSHAKE_BYTE
  writeU16(header, 1, text.length)
  return concatBytes(header, text)
}

function isTrusted(
  certificate: SimCertificate | null,
  authority: string,
  verify: (names: CertificateNames) => boolean,
): boolean {
  return certificate !== null && certificate.signedBy === authority && verify(namesOf(certificate))
}

function namesOf({ dnsNames, commonName }: SimCertificate): CertificateNames {
  return { dnsNames: dnsNames.map(utf8), commonName: commonName === null ? null : utf8(commonName) }
}

function authorityOf(root: string): string | null {
  return parse<{ readonly authority: string }>(root)?.authority ?? null
}

function refused(): LibtorrentError {
  return libtorrentError('invalidSslCert', { operation: 'sslHandshake' })
}

function parse<T>(text: string): T | null {
  try {
    const value = JSON.parse(text)
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}
