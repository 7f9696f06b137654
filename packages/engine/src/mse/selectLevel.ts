import type { LibtorrentErrorCode } from '../errors/libtorrentError.ts'
import { EncLevel } from '../settings/settingEnums.ts'
import type { Settings } from '../settings/settings.ts'
import type { MseLevel } from './mseHandshake.ts'

/**
 * Which of the levels the other side provides is used, or the error when it is none of those we allow.
 * @param provided bits of `EncLevel`; others mean nothing to us
 */
export function selectLevel(
  provided: number,
  { allowedEncLevel, preferRc4 }: Readonly<Pick<Settings, 'allowedEncLevel' | 'preferRc4'>>,
): MseLevel | LibtorrentErrorCode {
  const common = provided & allowedEncLevel
  if (common === EncLevel.both) return preferRc4 ? EncLevel.rc4 : EncLevel.plaintext
  if (common === EncLevel.plaintext || common === EncLevel.rc4) return common
  if (allowedEncLevel === EncLevel.plaintext) return 'noPlaintextMode'
  if (allowedEncLevel === EncLevel.rc4) return 'noRc4Mode'
  return 'unsupportedEncryptionMode'
}
