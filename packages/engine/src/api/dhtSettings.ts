import type { Settings } from '../settings/settings.ts'
import { settingsTable } from '../settings/settingsTable.ts'

type DhtSettingName = Extract<keyof Settings, `dht${string}`>

/**
 * The settings of the DHT under the names of libtorrent's `dht_settings` (manual, set_dht_settings): `maxPeersReply` is
 * the setting `dhtMaxPeersReply`.
 */
export type DhtSettings = {
  -readonly [Name in DhtSettingName as Name extends `dht${infer Rest}` ? Uncapitalize<Rest> : never]: Settings[Name]
}

const PREFIX = 'dht'
const names = Object.keys(settingsTable).filter((name) => name.startsWith(PREFIX)) as DhtSettingName[]

export function dhtSettingsOf(settings: Readonly<Settings>): DhtSettings {
  return Object.fromEntries(names.map((name) => [shortName(name), settings[name]])) as DhtSettings
}

/** The same settings under their full names. Names that do not exist stay wrong, for the check that follows. */
export function withDhtPrefix(changes: Partial<DhtSettings>): Partial<Settings> {
  const entries = Object.entries(changes).map(([name, value]) => [
    `${PREFIX}${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    value,
  ])
  return Object.fromEntries(entries) as Partial<Settings>
}

function shortName(name: DhtSettingName): string {
  return `${name.charAt(PREFIX.length).toLowerCase()}${name.slice(PREFIX.length + 1)}`
}
