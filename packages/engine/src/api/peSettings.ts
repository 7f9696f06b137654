import type { EncLevel, EncPolicy } from '../settings/settingEnums.ts'
import type { Settings } from '../settings/settings.ts'

/** Encryption of connections (manual, pe_settings): the settings of the same names, in one object. */
export interface PeSettings {
  /** For connections that we open. Default `enabled`. */
  outEncPolicy: EncPolicy
  /** For connections that peers open. Default `enabled`. */
  inEncPolicy: EncPolicy
  /** What of them may be encrypted. Default `both`. */
  allowedEncLevel: EncLevel
  /** Encrypt everything when the choice is ours. Default false. */
  preferRc4: boolean
}

const NAMES: readonly (keyof PeSettings)[] = ['outEncPolicy', 'inEncPolicy', 'allowedEncLevel', 'preferRc4']

export function peSettingsOf({
  outEncPolicy,
  inEncPolicy,
  allowedEncLevel,
  preferRc4,
}: Readonly<Settings>): PeSettings {
  return { outEncPolicy, inEncPolicy, allowedEncLevel, preferRc4 }
}

/** @throws TypeError when a field is none of theirs, though there may be a setting of that name */
export function checkPeSettings(changes: Partial<PeSettings>): Partial<Settings> {
  for (const name of Object.keys(changes)) {
    if ((NAMES as readonly string[]).includes(name)) continue
    throw new TypeError(`pe_settings have no "${name}"; there are ${NAMES.join(', ')}`)
  }
  return changes
}
