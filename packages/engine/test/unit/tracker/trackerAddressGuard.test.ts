import { describe, expect, test } from 'vitest'
import { libtorrentError } from '../../../src/errors/libtorrentError.ts'
import { trackerAddressGuard } from '../../../src/tracker/trackerAddressGuard.ts'

function aGuard(changes = {}) {
  const rules = { ssrfMitigation: true, allowedPaths: ['/announce'], checkAddress: () => null, ...changes }
  const guard = trackerAddressGuard(rules)
  return (address: string, url: string) => guard(address, url)?.code ?? 'passes'
}

describe('SSRF mitigation', () => {
  test.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '0.0.0.0', '::', '169.254.169.254', 'fe80::1'])(
    'speaks to %s only in the form of an announce',
    (address) => {
      expect(aGuard()(address, 'http://t/announce?x')).toBe('passes')
      expect(aGuard()(address, 'http://t/announce.php')).toBe('passes')
      expect(aGuard()(address, 'http://t/admin?announce')).toBe('ssrfMitigation')
      expect(aGuard()(address, 'http://t/scrape')).toBe('ssrfMitigation')
    },
  )

  test('lets trackers of the private network have any path', () => {
    expect(aGuard()('192.168.1.2', 'http://t/tracker.php')).toBe('passes')
  })

  test.each(['127.0.0.1', '10.0.0.1', '192.168.1.1', '169.254.1.1', '::1', 'fd00::1'])(
    'lets no public tracker redirect to %s',
    (address) => {
      const guard = aGuard()
      expect(guard('8.8.8.8', 'http://t/announce')).toBe('passes')
      expect(guard('8.8.4.4', 'http://u/announce')).toBe('passes')
      expect(guard(address, 'http://v/announce')).toBe('ssrfMitigation')
    },
  )

  test('lets a tracker have public and private addresses at once, and private ones redirect to each other', () => {
    const guard = aGuard()
    expect(guard('8.8.8.8', 'http://t/announce')).toBe('passes')
    expect(guard('10.0.0.1', 'http://t/announce')).toBe('passes')
    const local = aGuard()
    expect(local('10.0.0.1', 'http://t/a')).toBe('passes')
    expect(local('10.0.0.2', 'http://u/a')).toBe('passes')
  })

  test.each([25, 6379, 22])('does not speak to port %d', (port) => {
    expect(aGuard()('8.8.8.8', `http://t:${port}/announce`)).toBe('portBlocked')
  })

  test('does none of this when it is off', () => {
    const guard = aGuard({ ssrfMitigation: false })
    expect(guard('8.8.8.8', 'http://t/announce')).toBe('passes')
    expect(guard('127.0.0.1', 'http://t:25/admin')).toBe('passes')
  })
})

test("the session's own judgement counts too", () => {
  const guard = aGuard({ checkAddress: () => libtorrentError('bannedByIpFilter') })
  expect(guard('8.8.8.8', 'http://t/announce')).toBe('bannedByIpFilter')
})

test('a redirect to an international name is refused unless the setting allows them', () => {
  const url = 'http://xn--wb-lka.example/announce'
  expect(aGuard({ allowIdna: false })('8.8.8.8', 'http://t/announce')).toBe('passes')
  expect(aGuard({ allowIdna: false })('8.8.8.8', url)).toBe('blockedByIdna')
  expect(aGuard({ allowIdna: true })('8.8.8.8', url)).toBe('passes')
})
