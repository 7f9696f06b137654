import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { EncLevel, EncPolicy } from '../../../src/settings/settingEnums.ts'
import type { SettingRow } from '../../../src/settings/settingRow.ts'
import {
  applySettings,
  classicSettings,
  defaultSettings,
  highPerformanceSeed,
  minMemoryUsage,
  type Settings,
  settingByName,
} from '../../../src/settings/settings.ts'
import { settingsTable } from '../../../src/settings/settingsTable.ts'
import { VERSION } from '../../../src/util/version.ts'

const rows = Object.entries(settingsTable) as [keyof Settings, SettingRow][]

interface Api {
  settings: { name: string; default: unknown }[]
  settings_presets: Record<'min_memory_usage' | 'high_performance_seed', Record<string, unknown>>
}
const api: Api = JSON.parse(readFileSync(new URL('../../vectors/api/api-0.15.5.json', import.meta.url), 'utf8'))
function sourcesOutside(folder: string): string[] {
  const src = new URL('../../../src/', import.meta.url)
  return readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.startsWith(folder))
    .map((path) => readFileSync(new URL(path, src), 'utf8'))
}

const manual = new Map(api.settings.map((setting) => [setting.name, setting.default]))

describe('settingsTable', () => {
  test('every setting is called as in libtorrent and says what it does', () => {
    for (const [name, row] of rows) {
      expect(row.libtorrentName.replace(/_([a-z])/g, (_all, letter) => letter.toUpperCase())).toBe(name)
      expect(row.doc.length, name).toBeGreaterThan(20)
    }
  })

  test('every setting has an effect: some code outside the table reads it', () => {
    const words = new Set(sourcesOutside('settings').flatMap((text) => text.match(/\w+/g) ?? []))
    expect(rows.map(([name]) => name).filter((name) => !words.has(name))).toEqual([])
  })

  test('every default passes its own check', () => {
    const target = defaultSettings()
    applySettings(target, classicSettings())
    expect(target).toEqual(classicSettings())
    applySettings(target, defaultSettings())
    expect(target).toEqual(defaultSettings())
  })

  test('the classic default of every setting of the manual is that of 0.15.5', () => {
    const otherwiseWritten: Record<string, unknown> = {
      alert_mask: 1,
      announce_ip: '',
      out_enc_policy: EncPolicy.enabled,
      in_enc_policy: EncPolicy.enabled,
      allowed_enc_level: EncLevel.both,
    }
    for (const [, row] of rows) {
      const name = row.libtorrentName
      if (manual.has(name)) expect([name, row.classic]).toEqual([name, otherwiseWritten[name] ?? manual.get(name)])
    }
  })
})

describe('presets', () => {
  test.each([
    ['min_memory_usage', minMemoryUsage()],
    ['high_performance_seed', highPerformanceSeed()],
  ] as const)('%s sets every setting of the manual that exists here, and nothing else', (preset, settings) => {
    const expected: Record<string, unknown> = { ...defaultSettings() }
    for (const [name, value] of Object.entries(api.settings_presets[preset])) {
      const known = settingByName(name)
      if (known !== undefined) expected[known] = value
    }
    expect(settings).toEqual(expected)
  })

  test('each call gives a new object', () => {
    defaultSettings().numWant = 1
    expect(defaultSettings().numWant).toBe(settingsTable.numWant.default)
    expect(classicSettings().trackerReceiveTimeout).toBe(40)
  })
})

describe('settingByName', () => {
  test('finds a setting by either spelling', () => {
    expect(settingByName('num_want')).toBe('numWant')
    expect(settingByName('numWant')).toBe('numWant')
    expect(settingByName('no_such')).toBeUndefined()
    expect(settingByName('constructor')).toBeUndefined()
  })
})

describe('applySettings', () => {
  function applying(changes: Record<string, unknown>): () => void {
    return () => applySettings(defaultSettings(), changes as Partial<Settings>)
  }

  test('changes what is named and leaves the rest', () => {
    const target = defaultSettings()
    applySettings(target, { numWant: 50, preferUdpTrackers: false, userAgent: 'Me/1', requestQueueTime: 1.5 })
    expect(target).toEqual({
      ...defaultSettings(),
      numWant: 50,
      preferUdpTrackers: false,
      userAgent: 'Me/1',
      requestQueueTime: 1.5,
    })
  })

  test('a field that is undefined is left alone', () => {
    const target = defaultSettings()
    applySettings(target, { numWant: undefined } as unknown as Partial<Settings>)
    expect(target).toEqual(defaultSettings())
  })

  test('one wrong value and nothing is changed', () => {
    const target = defaultSettings()
    expect(() => applySettings(target, { numWant: 50, peerTimeout: -1 })).toThrow(RangeError)
    expect(target).toEqual(defaultSettings())
  })

  test('an unknown name names the one that was meant', () => {
    expect(applying({ numWnat: 1 })).toThrow(new TypeError('there is no setting "numWnat"; did you mean "numWant"?'))
    expect(applying({ num_want: 1 })).toThrow('did you mean "numWant"?')
    expect(applying({ somethingElseEntirely: 1 })).toThrow(new TypeError('there is no setting "somethingElseEntirely"'))
  })

  test.each([
    [{ numWant: '50' }, TypeError, 'setting numWant is a number, such as 200; not string'],
    [{ preferUdpTrackers: 1 }, TypeError, 'setting preferUdpTrackers is a boolean, such as true; not number'],
    [{ numWant: 1.5 }, RangeError, 'setting numWant is a whole number of peers, not 1.5'],
    [{ numWant: Number.NaN }, RangeError, 'whole number'],
    [{ requestQueueTime: Number.NaN }, RangeError, 'setting requestQueueTime is from 0.1'],
    [{ unchokeSlotsLimit: -2 }, RangeError, 'setting unchokeSlotsLimit is from -1 to 2147483647 peers, not -2'],
    [
      { chokingAlgorithm: 3 },
      RangeError,
      'is one of 0 (fixedSlotsChoker), 1 (autoExpandChoker), 2 (rateBasedChoker); not 3',
    ],
  ])('%o is refused with the reason', (changes, kind, reason) => {
    expect(applying(changes)).toThrow(kind)
    expect(applying(changes)).toThrow(reason)
  })
})

test('VERSION is that of the package', () => {
  const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  expect(VERSION).toBe(manifest.version)
})
