import { describe, expect, test } from 'vitest'
import { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import {
  hasAnnounceParameters,
  locationText,
  parseTrackerUrl,
  percentEncode,
  type TrackerLocation,
  withoutCredentials,
} from '../../../src/tracker/trackerLocation.ts'

function parsed(url: string): TrackerLocation {
  const location = parseTrackerUrl(url)
  if (location instanceof LibtorrentError) throw location
  return location
}

describe('a tracker URL', () => {
  test('is taken apart into scheme, host, port and path with query', () => {
    expect(parsed('HTTP://Tracker.Example:8080/announce?passkey=x%20y')).toEqual({
      scheme: 'http',
      host: 'tracker.example',
      port: 8080,
      path: '/announce?passkey=x%20y',
      login: null,
      isIdna: false,
    })
  })

  test.each([
    ['http://a/x', 80],
    ['https://a/x', 443],
    ['udp://a', 80],
    ['udp://a:1337/announce', 1337],
    ['udp://[2001:db8::1]:6969', 6969],
    ['ws://a/x', 80],
    ['wss://a', 443],
    ['WSS://a:8443/', 8443],
  ])('%s is on port %d', (url, port) => {
    expect(parsed(url).port).toBe(port)
  })

  test('brings credentials, which its text does not show', () => {
    const location = parsed('https://user%40home:p%3Ass@host/announce')
    expect(location.login).toEqual({ username: 'user@home', password: 'p:ss' })
    expect(locationText(location)).toBe('https://host/announce')
    expect(withoutCredentials('https://user:pass@host:81/a@b')).toBe('https://host:81/a@b')
    expect(withoutCredentials('https://host/a@b')).toBe('https://host/a@b')
  })

  test('loses its fragment, and blanks and foreign letters in its path are encoded', () => {
    expect(parsed('  http://host/my path/ä?q="1"#frag ').path).toBe('/my%20path/%c3%a4?q=%221%22')
  })

  test('without a path has / for HTTP and nothing for UDP', () => {
    expect(parsed('http://host').path).toBe('/')
    expect(parsed('http://host?x=1').path).toBe('/?x=1')
    expect(parsed('udp://host:1').path).toBe('')
  })

  test.each([
    ['http://ho\r\nst/announce', 'urlParseError'],
    ['http://host/announce\r\nX-Evil: 1', 'urlParseError'],
    ['http://host/\u0000', 'urlParseError'],
    ['not a url', 'urlParseError'],
    ['', 'urlParseError'],
    [`http://host/${'a'.repeat(9000)}`, 'urlParseError'],
    ['ftp://host/announce', 'unsupportedUrlProtocol'],
    ['file:///etc/passwd', 'unsupportedUrlProtocol'],
    ['gopher://host/announce', 'unsupportedUrlProtocol'],
    ['http:///announce', 'invalidHostname'],
    ['http://ho st/announce', 'invalidHostname'],
    ['http://a%2eb/announce', 'invalidHostname'],
    ['http://[zz]/announce', 'invalidHostname'],
    ['http://[::1/announce', 'expectedCloseBracketInAddress'],
    ['http://host:0/', 'invalidPort'],
    ['http://host:65536/', 'invalidPort'],
    ['http://host:x/', 'invalidPort'],
  ])('%j is refused with %s', (url, code) => {
    const result = parseTrackerUrl(url)
    expect(result instanceof LibtorrentError && result.code).toBe(code)
  })

  test('with an international host is told by either of its forms', () => {
    expect(parsed('http://bücher.example/a')).toMatchObject({ isIdna: true, host: 'xn--bcher-kva.example' })
    expect(parsed('http://XN--bcher-kva.example/a').isIdna).toBe(true)
    expect(parsed('http://plain-xn--.example/a').isIdna).toBe(false)
  })

  test('with announce parameters of its own is told from one with a passkey', () => {
    expect(hasAnnounceParameters(parsed('http://h/a?passkey=1&INFO_HASH=x'))).toBe(true)
    expect(hasAnnounceParameters(parsed('http://h/a?port'))).toBe(true)
    expect(hasAnnounceParameters(parsed('http://h/a?passkey=info_hash'))).toBe(false)
    expect(hasAnnounceParameters(parsed('http://h/a'))).toBe(false)
  })
})

test('only characters that mean themselves everywhere are not percent-encoded', () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i)
  const plain = percentEncode(all).replace(/%[0-9a-f]{2}/g, '')
  expect(plain).toBe('!()*-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~')
  expect(percentEncode(Uint8Array.of(0, 0x27, 0xff, 0x20))).toBe('%00%27%ff%20')
})
