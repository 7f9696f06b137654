import { expect, test } from 'vitest'
import { dhtSettingsOf, withDhtPrefix } from '../../../src/api/dhtSettings.ts'
import { applySettings, defaultSettings } from '../../../src/settings/settings.ts'

test('settings of the DHT have the names of dht_settings', () => {
  const settings = { ...defaultSettings(), dhtMaxPeersReply: 7 }
  const { maxPeersReply, searchBranching, readOnly } = dhtSettingsOf(settings)
  expect({ maxPeersReply, searchBranching, readOnly }).toEqual({
    maxPeersReply: 7,
    searchBranching: 5,
    readOnly: false,
  })
})

test('what is read can be set', () => {
  const settings = defaultSettings()
  const changed = { ...dhtSettingsOf(settings), maxPeers: 12, restrictRoutingIps: false }
  applySettings(settings, withDhtPrefix(changed))
  expect(settings).toEqual({ ...defaultSettings(), dhtMaxPeers: 12, dhtRestrictRoutingIps: false })
})

test('a name that does not exist is refused, and the one that was meant is told', () => {
  const wrong = { maxPeerReply: 5 } as object
  expect(() => applySettings(defaultSettings(), withDhtPrefix(wrong))).toThrow(/did you mean "dhtMaxPeersReply"/)
})
