import { closestName } from './closestName.ts'
import type { SettingRow } from './settingRow.ts'
import { type SettingName, settingsTable } from './settingsTable.ts'

/** A complete set of settings. What each means, its unit and default: `settingsTable`, docs/settings.md. */
export type Settings = { -readonly [Name in SettingName]: (typeof settingsTable)[Name]['default'] }

const rows: Readonly<Record<SettingName, SettingRow>> = settingsTable
const names = Object.keys(settingsTable) as readonly SettingName[]
const nameOf = new Map<string, SettingName>()
for (const name of names) {
  nameOf.set(name, name)
  nameOf.set(rows[name].libtorrentName, name)
}

/** What a session starts with. A new object each time. */
export function defaultSettings(): Settings {
  return column('default')
}

/** The defaults of libtorrent 0.15.5. */
export function classicSettings(): Settings {
  return column('classic')
}

/**
 * For devices with little memory: small buffers, one block per peer on its way to the disk, short peer lists.
 * Costs speed. @see manual, presets
 */
export function minMemoryUsage(): Settings {
  return {
    ...defaultSettings(),
    wholePiecesThreshold: 2,
    useParoleMode: false,
    prioritizePartialPieces: true,
    filePoolSize: 4,
    allowMultipleConnectionsPerIp: false,
    maxFailcount: 2,
    inactivityTimeout: 120,
    maxQueuedDiskBytes: 1,
    sendBufferWatermark: 9,
    closeRedundantConnections: true,
    maxPeerlistSize: 500,
    maxPausedPeerlistSize: 50,
    preferUdpTrackers: true,
    maxRejects: 10,
    upnpIgnoreNonrouters: true,
  }
}

/** For a machine that seeds to very many peers and downloads nothing: much is kept ready, the idle are dropped soon. @see manual, presets */
export function highPerformanceSeed(): Settings {
  return {
    ...defaultSettings(),
    filePoolSize: 500,
    allowMultipleConnectionsPerIp: true,
    closeRedundantConnections: true,
    maxRejects: 10,
    requestTimeout: 10,
    peerTimeout: 20,
    inactivityTimeout: 20,
    sendBufferWatermark: 5 * 1024 * 1024,
    maxFailcount: 1,
  }
}

/** The setting called `name`, in camelCase or as libtorrent spells it; undefined when there is none. */
export function settingByName(name: string): SettingName | undefined {
  return nameOf.get(name)
}

/**
 * Sets in `target` what `changes` names; fields that are undefined are left alone. Either all of them or, when one is
 * wrong, none.
 * @throws TypeError for an unknown name or a value of the wrong type, RangeError for a number out of range
 */
export function applySettings(target: Settings, changes: Partial<Settings>): void {
  for (const [name, value] of Object.entries(changes)) if (value !== undefined) check(name, value)
  for (const [name, value] of Object.entries(changes)) if (value !== undefined) Object.assign(target, { [name]: value })
}

function check(name: string, value: unknown): void {
  if (!Object.hasOwn(rows, name)) {
    const meant = nameOf.get(name) ?? closestName(name, names)
    throw new TypeError(`there is no setting "${name}"${meant === undefined ? '' : `; did you mean "${meant}"?`}`)
  }
  const row = rows[name as SettingName]
  const wanted = typeof row.default
  if (typeof value !== wanted) {
    throw new TypeError(`setting ${name} is a ${wanted}, such as ${JSON.stringify(row.default)}; not ${typeof value}`)
  }
  if (typeof value === 'number') checkNumber(name, row, value)
}

function checkNumber(name: string, row: SettingRow, value: number): void {
  if (row.choices !== null) {
    if (Object.values(row.choices).includes(value)) return
    const choices = Object.entries(row.choices).map(([choice, number]) => `${number} (${choice})`)
    throw new RangeError(`setting ${name} is one of ${choices.join(', ')}; not ${value}`)
  }
  if (row.type === 'int' && !Number.isInteger(value)) {
    throw new RangeError(`setting ${name} is a whole number of ${row.unit}, not ${value}`)
  }
  if (!(value >= row.min && value <= row.max)) {
    throw new RangeError(`setting ${name} is from ${row.min} to ${row.max} ${row.unit}, not ${value}`)
  }
}

function column(which: 'default' | 'classic'): Settings {
  return Object.fromEntries(names.map((name) => [name, rows[name][which]])) as Settings
}
