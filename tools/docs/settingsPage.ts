import { bandwidthSettings } from '../../packages/engine/src/settings/bandwidthSettings.ts'
import { chokingSettings } from '../../packages/engine/src/settings/chokingSettings.ts'
import { discoverySettings } from '../../packages/engine/src/settings/discoverySettings.ts'
import { diskSettings } from '../../packages/engine/src/settings/diskSettings.ts'
import { encryptionSettings } from '../../packages/engine/src/settings/encryptionSettings.ts'
import { i2pSettings } from '../../packages/engine/src/settings/i2pSettings.ts'
import { peerSettings } from '../../packages/engine/src/settings/peerSettings.ts'
import { pickerSettings } from '../../packages/engine/src/settings/pickerSettings.ts'
import { proxySettings } from '../../packages/engine/src/settings/proxySettings.ts'
import { rtcSettings } from '../../packages/engine/src/settings/rtcSettings.ts'
import { sessionSettings } from '../../packages/engine/src/settings/sessionSettings.ts'
import type { SettingRow } from '../../packages/engine/src/settings/settingRow.ts'
import { defaultSettings, highPerformanceSeed, minMemoryUsage } from '../../packages/engine/src/settings/settings.ts'
import { settingsTable } from '../../packages/engine/src/settings/settingsTable.ts'
import { trackerSettings } from '../../packages/engine/src/settings/trackerSettings.ts'
import { transportSettings } from '../../packages/engine/src/settings/transportSettings.ts'
import { utpSettings } from '../../packages/engine/src/settings/utpSettings.ts'
import { webSeedSettings } from '../../packages/engine/src/settings/webSeedSettings.ts'
import { code, pageHead, table } from './markdown.ts'

const groups: readonly (readonly [string, Readonly<Record<string, SettingRow>>])[] = [
  ['Session', sessionSettings],
  ['Trackers', trackerSettings],
  ['DHT, local discovery, port mapping', discoverySettings],
  ['Web seeds', webSeedSettings],
  ['Encryption', encryptionSettings],
  ['Proxies and anonymity', proxySettings],
  ['I2P', i2pSettings],
  ['WebRTC', rtcSettings],
  ['Peers', peerSettings],
  ['Picking pieces', pickerSettings],
  ['Choking', chokingSettings],
  ['Rate limits', bandwidthSettings],
  ['Disk and resume', diskSettings],
  ['Transports', transportSettings],
  ['uTP', utpSettings],
]

function shown(value: unknown): string {
  return code(JSON.stringify(value))
}

function range(row: SettingRow): string {
  if (row.choices !== null)
    return Object.entries(row.choices)
      .map(([name, value]) => `${value} ${name}`)
      .join(', ')
  if (row.type === 'string' || row.type === 'bool') return ''
  const max = row.max === 2 ** 31 - 1 || row.max === Number.MAX_SAFE_INTEGER ? '' : String(row.max)
  return max === '' ? `from ${row.min}` : `${row.min} to ${max}`
}

/** docs/settings.md */
export function settingsPage(): string {
  const listed = new Set(groups.flatMap(([, rows]) => Object.keys(rows)))
  const missing = Object.keys(settingsTable).filter((name) => !listed.has(name))
  if (missing.length > 0) throw new Error(`settings of no group of docs/settings.md: ${missing.join(', ')}`)
  const sections = groups.map(([title, rows]) => {
    const lines = Object.entries(rows).map(([name, row]) => [
      code(name),
      row.doc,
      shown(row.default),
      row.classic === row.default ? '' : shown(row.classic),
      [row.unit, range(row)].filter((part) => part !== '').join('; '),
      `${code(row.libtorrentName)}, ${row.source}`,
    ])
    const heads = ['setting', 'what it does', 'default', '0.15.5, if different', 'unit, range', 'libtorrent']
    return `## ${title}\n\n${table(heads, lines)}`
  })
  return [
    pageHead('Settings', 'packages/engine/src/settings'),
    `A setting has libtorrent's name in camelCase, its unit and its meaning. Give some of them to a session when it is
made, or later; all others keep their values:

\`\`\`ts
const session = new Session({ settings: { connectionsLimit: 500 } })
session.applySettings({ connectionSpeed: 50 })
\`\`\`

Complete sets: \`defaultSettings()\`, \`classicSettings()\` (the defaults of libtorrent 0.15.5), \`minMemoryUsage()\`
and \`highPerformanceSeed()\`. The default is that of libtorrent 2.1 where the one of 0.15.5 would hold a user of today
back. Only settings that have an effect are listed.
`,
    ...sections,
    `## Presets\n\n${presets()}`,
  ].join('\n')
}

function presets(): string {
  const base: Readonly<Record<string, unknown>> = defaultSettings()
  const small: Readonly<Record<string, unknown>> = minMemoryUsage()
  const fast: Readonly<Record<string, unknown>> = highPerformanceSeed()
  const rows = Object.keys(settingsTable)
    .filter((name) => small[name] !== base[name] || fast[name] !== base[name])
    .map((name) => [
      code(name),
      shown(base[name]),
      small[name] === base[name] ? '' : shown(small[name]),
      fast[name] === base[name] ? '' : shown(fast[name]),
    ])
  return table(['setting', 'default', 'minMemoryUsage', 'highPerformanceSeed'], rows)
}
