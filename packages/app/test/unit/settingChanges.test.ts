import { expect, test } from 'vitest'
import { settingChanges } from '../../src/options/settingChanges.ts'

test('values are read as the setting wants them, by its name here or in libtorrent', () => {
  const texts = ['connectionsLimit=50', 'enable_dht=off', 'userAgent=a=b']
  expect(settingChanges(texts)).toEqual({ connectionsLimit: 50, enableDht: false, userAgent: 'a=b' })
  expect(settingChanges(['choking_algorithm=fixedSlotsChoker'])).toEqual({ chokingAlgorithm: 0 })
})

test('the last of several counts', () => {
  expect(settingChanges(['connectionsLimit=50', 'connections_limit=60'])).toEqual({ connectionsLimit: 60 })
})

test.each([
  ['connectionLimit=5', /did you mean "connectionsLimit"\? docs\/settings\.md lists all\.$/],
  ['frobnicate=5', /there is no setting "frobnicate"\. docs/],
  ['enableDht', /written as name=value/],
  ['=5', /written as name=value/],
  ['enableDht=perhaps', /true or false, not "perhaps"/],
  ['connectionsLimit=', /a number, not ""/],
  ['proxyType=sock5', /one of none, socks4, socks5, socks5Pw, http, httpPw; not "sock5"/],
  ['connectionsLimit=1.5', /whole number/],
  ['connectionsLimit=1', /from 2 to/],
])('%s is refused', (text, message) => {
  expect(() => settingChanges([text])).toThrow(message)
})
