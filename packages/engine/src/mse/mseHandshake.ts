import type { Rc4 } from '../crypto/rc4.ts'
import type { LibtorrentErrorCode } from '../errors/libtorrentError.ts'
import type { Random } from '../platform/random.ts'
import type { EncLevel } from '../settings/settingEnums.ts'
import type { Settings } from '../settings/settings.ts'

/** What was agreed on: one of the levels, never both. */
export type MseLevel = typeof EncLevel.plaintext | typeof EncLevel.rc4

/** Longest padding, of each of the four kinds. */
export const MAX_PAD_BYTES = 512
/** Eight zeros that, encrypted, prove that the other side knows the torrent. */
export const VERIFICATION_BYTES = 8

/** What both sides of the handshake need. */
export interface MseHost {
  readonly random: Random
  readonly settings: Readonly<Pick<Settings, 'allowedEncLevel' | 'preferRc4'>>
  /** Sends bytes of the handshake; they do not change afterwards. */
  send(bytes: Uint8Array): void
}

/** How a handshake ended. */
export type MseOutcome = MseAgreement | MseFailure

export interface MseAgreement {
  readonly level: MseLevel
  /** For what we send. */
  readonly encrypt: Rc4
  /** For what we receive. */
  readonly decrypt: Rc4
  /** The stream key: 20 bytes. */
  readonly infoHash: Uint8Array
  /** How many bytes that follow are encrypted whatever the level is: the initial payload. */
  readonly encryptedBytes: number
}

export interface MseFailure {
  readonly code: LibtorrentErrorCode
}

/** One side of a handshake: fed with bytes, it sends its own and comes to an outcome. */
export interface MseHandshake {
  /** Null while more bytes are needed. */
  readonly outcome: MseOutcome | null
  /** Takes bytes; returns how many. Fewer than there were only once there is an outcome. */
  receive(bytes: Uint8Array): number
  /** What was taken and does not belong to the handshake; a view. */
  rest(): Uint8Array
}

/** Random bytes, as many as chance says: they hide how long the messages of the handshake are. */
export function randomPadding(random: Random): Uint8Array {
  return random.bytes(random.below(MAX_PAD_BYTES + 1))
}
