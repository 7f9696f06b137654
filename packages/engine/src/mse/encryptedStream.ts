import type { Endpoint } from '../address/endpoint.ts'
import type { Rc4 } from '../crypto/rc4.ts'
import { INPUT_BYTES } from '../crypto/rc4Workbench.ts'
import { type LibtorrentError, libtorrentError, systemError } from '../errors/libtorrentError.ts'
import type { Random } from '../platform/random.ts'
import type { SocketType } from '../platform/socketType.ts'
import type { Stream, StreamEncryption, StreamHandler } from '../platform/tcp.ts'
import { EncLevel } from '../settings/settingEnums.ts'
import { EMPTY_BYTES } from '../util/bytes.ts'
import { CipherOutput } from './cipherOutput.ts'
import type { MseAgreement, MseHandshake, MseHost } from './mseHandshake.ts'
import { MseInitiator } from './mseInitiator.ts'
import { MseResponder, type MseResponderHost } from './mseResponder.ts'

/** libtorrent takes no longer initial payload: the handshake of BitTorrent. */
const MAX_INITIAL_PAYLOAD = 68

/** What an encrypted stream needs. */
export interface EncryptedStreamHost {
  readonly random: Random
  readonly settings: MseHost['settings']
  /** Our own code threw. */
  onFault(cause: unknown): void
}

type StreamKeys = Pick<MseResponderHost, 'mayExchangeKeys' | 'findStreamKey'>

/** What a stream that somebody else opened needs. */
export type IncomingStreamHost = EncryptedStreamHost & StreamKeys

interface QueuedWrite {
  readonly bytes: Uint8Array
  readonly onSent: (() => void) | undefined
}

type State =
  | { readonly name: 'connecting' }
  | { readonly name: 'negotiating'; readonly handshake: MseHandshake }
  | { readonly name: 'open'; readonly agreement: MseAgreement; readonly output: CipherOutput | null; encrypted: number }
  | { readonly name: 'closed' }

/**
 * A stream encrypted by MSE over any other stream. Its owner may write at once: what it writes waits until the two sides
 * have agreed, but for the first bytes, which travel within the handshake. Where they agree on plain text, bytes pass
 * through it untouched from then on.
 */
export class EncryptedStream implements Stream, StreamHandler {
  private state: State = { name: 'connecting' }
  private inner!: Stream
  private readonly queue: QueuedWrite[] = []
  private agreed: StreamEncryption = 'none'

  private constructor(
    private readonly host: EncryptedStreamHost,
    private handler: StreamHandler,
  ) {}

  /** Encrypts what `open` connects, for the torrent with `infoHash` (20 bytes). */
  static connecting(
    host: EncryptedStreamHost,
    infoHash: Uint8Array,
    handler: StreamHandler,
    open: (inner: StreamHandler) => Stream,
  ): EncryptedStream {
    const stream = new EncryptedStream(host, handler)
    stream.begin = () =>
      new MseInitiator(stream.hostOf({ takeInitialPayload: () => stream.takeInitialPayload() }), infoHash)
    stream.inner = open(stream)
    return stream
  }

  /** Takes over a stream somebody else opened. What came already is to be given to `onData`. */
  static accepting(host: IncomingStreamHost, inner: Stream, handler: StreamHandler): EncryptedStream {
    const stream = new EncryptedStream(host, handler)
    stream.inner = inner
    const handshake = new MseResponder(
      stream.hostOf<StreamKeys>({
        mayExchangeKeys: () => host.mayExchangeKeys(),
        findStreamKey: (hash) => host.findStreamKey(hash),
      }),
    )
    stream.state = { name: 'negotiating', handshake }
    inner.setHandler(stream)
    return stream
  }

  private begin: () => MseHandshake = () => {
    throw new Error('nobody connects this stream')
  }

  private hostOf<More>(more: More): MseHost & More {
    const { random, settings } = this.host
    return { random, settings, send: (bytes) => this.inner.write(bytes), ...more }
  }

  // --- what it is -------------------------------------------------------------------------------------------------

  get socketType(): SocketType {
    return this.inner.socketType
  }

  get remote(): Endpoint {
    return this.inner.remote
  }

  get local(): Endpoint | null {
    return this.inner.local
  }

  /** What was agreed; it stays known when the stream has ended. */
  get encryption(): StreamEncryption {
    return this.agreed
  }

  /** The torrent the other side named, 20 bytes; null until it is known. */
  get infoHash(): Uint8Array | null {
    return this.state.name === 'open' ? this.state.agreement.infoHash : null
  }

  get unsentBytes(): number {
    let bytes = this.inner.unsentBytes
    if (this.state.name === 'open') bytes += this.state.output?.heldBytes ?? 0
    for (const write of this.queue) bytes += write.bytes.length
    return bytes
  }

  setHandler(handler: StreamHandler): void {
    this.handler = handler
    this.stepAside()
  }

  // --- sending ----------------------------------------------------------------------------------------------------

  write(bytes: Uint8Array, onSent?: () => void): boolean {
    const { state } = this
    if (state.name === 'open') {
      return state.output === null ? this.inner.write(bytes, onSent) : state.output.write(bytes, onSent)
    }
    if (state.name === 'closed') return this.inner.write(bytes, onSent)
    this.queue.push({ bytes, onSent })
    return true
  }

  cork(): void {
    if (this.state.name === 'open') (this.state.output ?? this.inner).cork()
  }

  uncork(): void {
    if (this.state.name === 'open') (this.state.output ?? this.inner).uncork()
  }

  pauseReading(): void {
    this.inner.pauseReading()
  }

  resumeReading(): void {
    this.inner.resumeReading()
  }

  end(): void {
    if (this.state.name === 'open') this.state.output?.uncork()
    this.inner.end()
  }

  destroy(): void {
    this.inner.destroy()
    this.close()
  }

  private takeInitialPayload(): Uint8Array {
    const [first] = this.queue
    if (first === undefined || first.bytes.length > MAX_INITIAL_PAYLOAD) return EMPTY_BYTES
    this.queue.shift()
    const { bytes, onSent } = first
    // Within the handshake it is a copy: what was written may change.
    if (onSent !== undefined) this.inner.write(EMPTY_BYTES, onSent)
    return bytes
  }

  // --- what the stream below reports ------------------------------------------------------------------------------

  onConnected(): void {
    this.guard(() => {
      // connecting -> negotiating
      this.state = { name: 'negotiating', handshake: this.begin() }
      this.handler.onConnected()
    })
  }

  onData(chunk: Uint8Array): void {
    this.guard(() => this.receive(chunk))
  }

  onDrain(): void {
    this.handler.onDrain()
  }

  onClosed(error: LibtorrentError | null): void {
    this.close()
    this.handler.onClosed(error)
  }

  /** Should our own code fail over what a stranger sends, this stream ends and nothing else. */
  private guard(work: () => void): void {
    try {
      work()
    } catch (cause) {
      this.host.onFault(cause)
      this.fail(systemError(cause))
    }
  }

  private receive(chunk: Uint8Array): void {
    const { state } = this
    if (state.name === 'open') return this.deliver(chunk)
    if (state.name !== 'negotiating') return
    const { handshake } = state
    const taken = handshake.receive(chunk)
    const { outcome } = handshake
    if (outcome === null) return
    if ('code' in outcome) return this.fail(libtorrentError(outcome.code, { operation: 'encryption' }))
    this.open(outcome)
    this.deliver(handshake.rest())
    this.deliver(chunk.subarray(taken))
  }

  /** negotiating -> open */
  private open(agreement: MseAgreement): void {
    this.agreed = agreement.level === EncLevel.rc4 ? 'rc4' : 'plaintext'
    const output = this.agreed === 'rc4' ? new CipherOutput(this.inner, agreement.encrypt) : null
    this.state = { name: 'open', agreement, output, encrypted: agreement.encryptedBytes }
    for (const { bytes, onSent } of this.queue.splice(0)) this.write(bytes, onSent)
  }

  private deliver(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const { state } = this
      if (state.name !== 'open') return
      const size = Math.min(bytes.length - at, state.encrypted, INPUT_BYTES)
      if (size === 0) {
        this.handler.onData(bytes.subarray(at))
        break
      }
      state.encrypted -= size
      this.handler.onData(this.decrypted(state.agreement.decrypt, bytes, at, at + size))
      at += size
    }
    this.stepAside()
  }

  private decrypted(cipher: Rc4, bytes: Uint8Array, from: number, to: number): Uint8Array {
    return cipher.turnedView(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to))
  }

  /** Nothing is left to decrypt: the owner hears from the stream below itself. */
  private stepAside(): void {
    const { state } = this
    if (state.name === 'open' && state.output === null && state.encrypted === 0) this.inner.setHandler(this.handler)
  }

  // --- the end ----------------------------------------------------------------------------------------------------

  private fail(error: LibtorrentError): void {
    if (this.state.name === 'closed') return
    this.destroy()
    this.handler.onClosed(error)
  }

  /** any -> closed. The stream below is closed, too, and says of all that is written now that it was sent. */
  private close(): void {
    const { state } = this
    this.state = { name: 'closed' }
    if (state.name === 'open') state.output?.release()
    for (const { bytes, onSent } of this.queue.splice(0)) this.inner.write(bytes, onSent)
  }
}
