import { DH_KEY_BYTES, DH_PRIVATE_KEY_BYTES, KeyExchange } from '../crypto/keyExchange.ts'
import type { Rc4 } from '../crypto/rc4.ts'
import { EncLevel } from '../settings/settingEnums.ts'
import { concatBytes, readU16, readU32, writeU16, writeU32 } from '../util/bytes.ts'
import { HandshakeFrame } from './handshakeFrame.ts'
import { MAX_PAD_BYTES, type MseHost, type MseLevel, randomPadding, VERIFICATION_BYTES } from './mseHandshake.ts'
import { maskedStreamKey, streamCipher, syncHash } from './mseKeys.ts'
import { selectLevel } from './selectLevel.ts'

const HASH_BYTES = 20
/** The levels provided, and how long the padding is. */
const OFFER_BYTES = 6
const LONGEST_BYTES =
  DH_KEY_BYTES + MAX_PAD_BYTES + 2 * HASH_BYTES + VERIFICATION_BYTES + OFFER_BYTES + MAX_PAD_BYTES + 2

export interface MseResponderHost extends MseHost {
  /** The key exchange is what costs time: false when there were too many. */
  mayExchangeKeys(): boolean
  /** The info-hash (20 bytes) of a torrent of ours by its `streamKeyHash`, null when there is none. */
  findStreamKey(hash: Uint8Array): Uint8Array | null
}

type State =
  | { readonly name: 'key' }
  | { readonly name: 'sync'; readonly secret: Uint8Array; readonly pattern: Uint8Array }
  | { readonly name: 'streamKey'; readonly secret: Uint8Array }
  | { readonly name: 'verification'; readonly session: Session }
  | { readonly name: 'offer'; readonly session: Session }
  | { readonly name: 'padding'; readonly session: Session; readonly level: MseLevel; readonly length: number }

interface Session {
  readonly encrypt: Rc4
  readonly decrypt: Rc4
  readonly infoHash: Uint8Array
}

/** The handshake of the one who was connected to; see `MseInitiator`. Sends nothing before the other's key has come. */
export class MseResponder extends HandshakeFrame<State> {
  constructor(private readonly host: MseResponderHost) {
    super({ name: 'key' }, LONGEST_BYTES)
  }

  protected advance(): boolean {
    const { state } = this
    if (state.name === 'key') return this.readKey()
    if (state.name === 'sync') return this.readSync(state)
    if (state.name === 'streamKey') return this.readStreamKey(state.secret)
    if (state.name === 'verification') return this.readVerification(state.session)
    if (state.name === 'offer') return this.readOffer(state.session)
    if (state.name === 'padding') return this.readPadding(state)
    return false
  }

  /** key -> sync */
  private readKey(): boolean {
    const { host } = this
    const key = this.input.take(DH_KEY_BYTES)
    if (key === null) return false
    if (!host.mayExchangeKeys()) return this.fail('tooManyConnections')
    const exchange = new KeyExchange(host.random.bytes(DH_PRIVATE_KEY_BYTES))
    const secret = exchange.secret(key)
    if (secret === null) return this.fail('invalidEncryptHandshake')
    host.send(concatBytes(exchange.publicKey, randomPadding(host.random)))
    this.state = { name: 'sync', secret, pattern: syncHash(secret) }
    return true
  }

  /** sync -> streamKey. The padding before it has no length: what follows it is looked for. */
  private readSync({ secret, pattern }: State & { name: 'sync' }): boolean {
    const result = this.input.skipTo(pattern, MAX_PAD_BYTES)
    if (result === 'waiting') return false
    if (result === 'missing') return this.fail('syncHashNotFound')
    this.state = { name: 'streamKey', secret }
    return true
  }

  /** streamKey -> verification */
  private readStreamKey(secret: Uint8Array): boolean {
    const masked = this.input.take(HASH_BYTES)
    if (masked === null) return false
    const infoHash = this.host.findStreamKey(maskedStreamKey(masked, secret))
    if (infoHash === null) return this.fail('invalidInfoHash')
    const encrypt = streamCipher('keyB', secret, infoHash)
    const decrypt = streamCipher('keyA', secret, infoHash)
    this.state = { name: 'verification', session: { encrypt, decrypt, infoHash } }
    return true
  }

  /** verification -> offer */
  private readVerification(session: Session): boolean {
    const zeros = this.input.take(VERIFICATION_BYTES)
    if (zeros === null) return false
    session.decrypt.turn(zeros)
    if (zeros.some((byte) => byte !== 0)) return this.fail('invalidEncryptionConstant')
    this.state = { name: 'offer', session }
    return true
  }

  /** offer -> padding */
  private readOffer(session: Session): boolean {
    const offer = this.input.take(OFFER_BYTES)
    if (offer === null) return false
    session.decrypt.turn(offer)
    const level = selectLevel(readU32(offer, 0), this.host.settings)
    if (typeof level === 'string') return this.fail(level)
    const length = readU16(offer, 4)
    if (length > MAX_PAD_BYTES) return this.fail('invalidPadSize')
    this.state = { name: 'padding', session, level, length }
    return true
  }

  /** padding -> ended. Behind the padding is the length of the initial payload, which may be of any length. */
  private readPadding({ session, level, length }: State & { name: 'padding' }): boolean {
    const padding = this.input.take(length + 2)
    if (padding === null) return false
    session.decrypt.turn(padding)
    this.sendAnswer(level, session.encrypt)
    const encryptedBytes = level === EncLevel.rc4 ? Number.POSITIVE_INFINITY : readU16(padding, length)
    return this.end({ level, ...session, encryptedBytes })
  }

  private sendAnswer(level: MseLevel, encrypt: Rc4): void {
    const padding = this.host.random.below(MAX_PAD_BYTES + 1)
    const answer = new Uint8Array(VERIFICATION_BYTES + 6 + padding)
    writeU32(answer, VERIFICATION_BYTES, level)
    writeU16(answer, VERIFICATION_BYTES + 4, padding)
    encrypt.turn(answer)
    this.host.send(answer)
  }
}
