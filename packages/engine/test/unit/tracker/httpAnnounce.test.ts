import { describe, expect, test } from 'vitest'
import { EncPolicy } from '../../../src/settings/settingEnums.ts'
import { announceUrl, trackerHeaders } from '../../../src/tracker/httpAnnounce.ts'
import { scrapeUrl } from '../../../src/tracker/httpScrape.ts'
import { parseTrackerUrl, type TrackerLocation } from '../../../src/tracker/trackerLocation.ts'
import { settings } from './fakes.ts'
import { INFO_HASH, request } from './requests.ts'

const at = (url: string) => parseTrackerUrl(url) as TrackerLocation
const HASH = '%00%01~%20ABcxz~-._*(%27!%25%ff%80'

describe('the URL of an HTTP announce', () => {
  test("has libtorrent's parameters in libtorrent's order", () => {
    const all = settings({ announceCryptoSupport: true, announceIp: '1.2.3.4' })
    const full = request({ trackerId: 'id &\u00ff', ipv4: ['5.6.7.8'], ipv6: ['2001:db8::1'] })
    expect(announceUrl(at('http://t/announce'), full, all)).toBe(
      `http://t/announce?info_hash=${HASH}&peer_id=-LT2100-abcdefghijkl&port=6881&uploaded=1&downloaded=2&left=3` +
        '&corrupt=4&key=00000ABC&event=started&numwant=200&compact=1&no_peer_id=1&supportcrypto=1&redundant=5' +
        '&trackerid=id%20%26%ff&ip=1.2.3.4&ipv4=5.6.7.8&ipv6=2001%3adb8%3a%3a1',
    )
  })

  test('leaves out what is not set', () => {
    const url = announceUrl(
      at('http://t/announce'),
      request({ event: 'none' }),
      settings({ reportRedundantBytes: false }),
    )
    expect(url).toBe(
      `http://t/announce?info_hash=${HASH}&peer_id=-LT2100-abcdefghijkl&port=6881&uploaded=1&downloaded=2&left=3` +
        '&corrupt=4&key=00000ABC&numwant=200&compact=1&no_peer_id=1',
    )
  })

  test('says that encrypted connections are taken only where they are', () => {
    const says = (inEncPolicy: EncPolicy) =>
      announceUrl(at('http://t/a'), request(), settings({ announceCryptoSupport: true, inEncPolicy }))
    expect(says(EncPolicy.forced)).toMatch(/&supportcrypto=1&/)
    expect(says(EncPolicy.enabled)).toMatch(/&supportcrypto=1&/)
    expect(says(EncPolicy.disabled)).not.toMatch(/crypto/)
  })

  test("is appended to the query of the tracker's own URL", () => {
    expect(announceUrl(at('http://t:81/a.php?key1=v'), request(), settings())).toMatch(
      /^http:\/\/t:81\/a\.php\?key1=v&info_hash=/,
    )
  })

  test('tells no addresses in anonymous mode', () => {
    const anonymous = settings({ anonymousMode: true, announceIp: '1.2.3.4' })
    expect(announceUrl(at('http://t/a'), request({ ipv4: ['5.6.7.8'] }), anonymous)).not.toMatch(/ip/)
  })

  test('never contains credentials', () => {
    expect(announceUrl(at('http://me:secret@t/a'), request(), settings())).not.toContain('secret')
  })
})

describe('the headers of an HTTP announce', () => {
  test('carry the credentials of the URL, else those of the login', () => {
    const login = { username: 'user', password: 'pass' }
    expect(trackerHeaders(at('http://me:secret@t/a'), { login }, settings()).authorization).toBe('Basic bWU6c2VjcmV0')
    expect(trackerHeaders(at('http://t/a'), { login }, settings()).authorization).toBe('Basic dXNlcjpwYXNz')
    expect(trackerHeaders(at('http://t/a'), {}, settings())).not.toHaveProperty('authorization')
  })

  test('cannot be split by a user agent with line breaks', () => {
    const agent = trackerHeaders(at('http://t/a'), {}, settings({ userAgent: 'x\r\nEvil: 1' }))['user-agent']
    expect(agent).toBe('xEvil: 1')
  })

  test('hide the user agent in anonymous mode, except from private trackers', () => {
    const anonymous = settings({ anonymousMode: true })
    expect(trackerHeaders(at('http://t/a'), {}, anonymous)['user-agent']).not.toContain('libtorrent')
    expect(trackerHeaders(at('http://t/a'), { privateTorrent: true }, anonymous)['user-agent']).toContain('libtorrent')
  })
})

describe('BEP 48: the scrape URL', () => {
  test.each([
    ['http://t/announce', 'http://t/scrape?'],
    ['http://t/x/announce', 'http://t/x/scrape?'],
    ['http://t/announce.php', 'http://t/scrape.php?'],
    ['http://t/announce/passkey', 'http://t/scrape/passkey?'],
    ['http://t/announce?x2=/announce', 'http://t/scrape?x2=/announce&'],
    ['http://announce.t/announce', 'http://announce.t/scrape?'],
  ])('of %s begins with %s', (announce, scrape) => {
    expect(scrapeUrl(at(announce), INFO_HASH)).toBe(`${scrape}info_hash=${HASH}`)
  })

  test.each(['http://t/a', 'http://announce.t/', 'http://t/x?announce'])('does not exist for %s', (announce) => {
    expect(scrapeUrl(at(announce), INFO_HASH)).toBeNull()
  })
})
