import { bandwidthSettings } from './bandwidthSettings.ts'
import { chokingSettings } from './chokingSettings.ts'
import { discoverySettings } from './discoverySettings.ts'
import { diskSettings } from './diskSettings.ts'
import { encryptionSettings } from './encryptionSettings.ts'
import { i2pSettings } from './i2pSettings.ts'
import { peerSettings } from './peerSettings.ts'
import { pickerSettings } from './pickerSettings.ts'
import { proxySettings } from './proxySettings.ts'
import { rtcSettings } from './rtcSettings.ts'
import { sessionSettings } from './sessionSettings.ts'
import { trackerSettings } from './trackerSettings.ts'
import { transportSettings } from './transportSettings.ts'
import { utpSettings } from './utpSettings.ts'
import { webSeedSettings } from './webSeedSettings.ts'

/**
 * Every setting there is, by its name. A setting has the name, unit and meaning of libtorrent's manual. `default` is
 * libtorrent 2.1's value where the one of 0.15.5 (`classic`) would hold a user of today back, the manual's otherwise.
 */
export const settingsTable = {
  ...sessionSettings,
  ...trackerSettings,
  ...discoverySettings,
  ...proxySettings,
  ...i2pSettings,
  ...webSeedSettings,
  ...rtcSettings,
  ...peerSettings,
  ...transportSettings,
  ...utpSettings,
  ...encryptionSettings,
  ...pickerSettings,
  ...chokingSettings,
  ...bandwidthSettings,
  ...diskSettings,
} as const

/** The name of a setting, in camelCase. */
export type SettingName = keyof typeof settingsTable
