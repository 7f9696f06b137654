import { expect, test } from 'vitest'
import { rateLimitSettings } from '../../src/options/rateLimits.ts'

test('a limit holds for everybody, peers on this machine and next to it included', () => {
  expect(rateLimitSettings({ limitDown: 2_000_000 })).toEqual({
    downloadRateLimit: 2_000_000,
    ignoreLimitsOnLocalNetwork: false,
  })
  expect(rateLimitSettings({ limitUp: 50_000, limitDown: 2_000_000 })).toEqual({
    uploadRateLimit: 50_000,
    downloadRateLimit: 2_000_000,
    ignoreLimitsOnLocalNetwork: false,
  })
})

test('without a limit nothing is changed: neighbours need no upload slot', () => {
  expect(rateLimitSettings({})).toEqual({})
})
