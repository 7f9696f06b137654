import { DH_KEY_BYTES, DH_PRIVATE_KEY_BYTES, KeyExchange } from '../crypto/keyExchange.ts'
import type { Rc4 } from '../crypto/rc4.ts'
import { EncLevel } from '../settings/settingEnums.ts'
import { concatBytes, readU16, readU32, writeU16, writeU32 } from '../util/bytes.ts'
import { HandshakeFrame } from './handshakeFrame.ts'
import { MAX_PAD_BYTES, type MseHost, type MseLevel, randomPadding, VERIFICATION_BYTES } from './mseHandshake.ts'
import { maskedStreamKey, streamCipher, streamKeyHash, syncHash } from './mseKeys.ts'

/** The level that was selected, and how long the padding is. */
const ANSWER_BYTES = 6
const LONGEST_BYTES = DH_KEY_BYTES + MAX_PAD_BYTES + VERIFICATION_BYTES + ANSWER_BYTES + MAX_PAD_BYTES

export interface MseInitiatorHost extends MseHost {
  /** What is to be sent within the handshake, encrypted: at most 65535 bytes. libtorrent takes no more than 68. */
  takeInitialPayload(): Uint8Array
}

type State =
  | { readonly name: 'key'; readonly exchange: KeyExchange }
  | { readonly name: 'verification'; readonly ciphers: Ciphers; readonly pattern: Uint8Array }
  | { readonly name: 'answer'; readonly ciphers: Ciphers }
  | { readonly name: 'padding'; readonly ciphers: Ciphers; readonly level: MseLevel; readonly length: number }

interface Ciphers {
  readonly encrypt: Rc4
  readonly decrypt: Rc4
}

/**
 * The handshake of the one who connects (MSE, steps 1 to 4):
 *
 *     we    public key, padding
 *     peer  public key, padding
 *     we    HASH('req1', S), HASH('req2', SKEY) xor HASH('req3', S),
 *           encrypted: verification, levels we provide, padding, initial payload
 *     peer  encrypted: verification, level it selected, padding
 */
export class MseInitiator extends HandshakeFrame<State> {
  /** Sends the first message. `infoHash`: 20 bytes. */
  constructor(
    private readonly host: MseInitiatorHost,
    private readonly infoHash: Uint8Array,
  ) {
    const exchange = new KeyExchange(host.random.bytes(DH_PRIVATE_KEY_BYTES))
    super({ name: 'key', exchange }, LONGEST_BYTES)
    host.send(concatBytes(exchange.publicKey, randomPadding(host.random)))
  }

  protected advance(): boolean {
    const { state } = this
    if (state.name === 'key') return this.readKey(state.exchange)
    if (state.name === 'verification') return this.readVerification(state)
    if (state.name === 'answer') return this.readAnswer(state.ciphers)
    if (state.name === 'padding') return this.readPadding(state)
    return false
  }

  /** key -> verification */
  private readKey(exchange: KeyExchange): boolean {
    const key = this.input.take(DH_KEY_BYTES)
    if (key === null) return false
    const secret = exchange.secret(key)
    if (secret === null) return this.fail('invalidEncryptHandshake')
    const encrypt = streamCipher('keyA', secret, this.infoHash)
    const decrypt = streamCipher('keyB', secret, this.infoHash)
    this.sendOffer(secret, encrypt)
    const pattern = new Uint8Array(VERIFICATION_BYTES)
    decrypt.turn(pattern)
    this.state = { name: 'verification', ciphers: { encrypt, decrypt }, pattern }
    return true
  }

  private sendOffer(secret: Uint8Array, encrypt: Rc4): void {
    const { host, infoHash } = this
    const padding = host.random.below(MAX_PAD_BYTES + 1)
    const payload = host.takeInitialPayload()
    const offer = new Uint8Array(VERIFICATION_BYTES + 4 + 2 + padding + 2 + payload.length)
    writeU32(offer, VERIFICATION_BYTES, host.settings.allowedEncLevel)
    writeU16(offer, VERIFICATION_BYTES + 4, padding)
    writeU16(offer, VERIFICATION_BYTES + 6 + padding, payload.length)
    offer.set(payload, VERIFICATION_BYTES + 8 + padding)
    encrypt.turn(offer)
    host.send(concatBytes(syncHash(secret), maskedStreamKey(streamKeyHash(infoHash), secret), offer))
  }

  /** verification -> answer. The padding before it has no length: what follows it is looked for. */
  private readVerification({ ciphers, pattern }: State & { name: 'verification' }): boolean {
    const result = this.input.skipTo(pattern, MAX_PAD_BYTES)
    if (result === 'waiting') return false
    if (result === 'missing') return this.fail('invalidEncryptionConstant')
    this.state = { name: 'answer', ciphers }
    return true
  }

  /** answer -> padding */
  private readAnswer(ciphers: Ciphers): boolean {
    const answer = this.input.take(ANSWER_BYTES)
    if (answer === null) return false
    ciphers.decrypt.turn(answer)
    const level = readU32(answer, 0)
    const isOne = level === EncLevel.plaintext || level === EncLevel.rc4
    if (!isOne || (level & this.host.settings.allowedEncLevel) === 0)
      return this.fail('unsupportedEncryptionModeSelected')
    const length = readU16(answer, 4)
    if (length > MAX_PAD_BYTES) return this.fail('invalidPadSize')
    this.state = { name: 'padding', ciphers, level, length }
    return true
  }

  /** padding -> ended */
  private readPadding({ ciphers, level, length }: State & { name: 'padding' }): boolean {
    const padding = this.input.take(length)
    if (padding === null) return false
    ciphers.decrypt.turn(padding)
    const encryptedBytes = level === EncLevel.rc4 ? Number.POSITIVE_INFINITY : 0
    return this.end({ level, ...ciphers, infoHash: this.infoHash, encryptedBytes })
  }
}
