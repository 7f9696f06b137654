import { ProxyType } from 'libtorrent-ts'
import { expect, test } from 'vitest'
import { networkOf, proxyOptionSettings } from '../../src/options/proxyOptions.ts'
import { parseProxyUrl } from '../../src/options/proxyUrl.ts'

test.each([
  ['socks4://proxy.example', ProxyType.socks4, 'proxy.example', 1080, '', '', false],
  ['socks4a://bob@1.2.3.4:9', ProxyType.socks4, '1.2.3.4', 9, 'bob', '', true],
  ['socks5://127.0.0.1:9050', ProxyType.socks5, '127.0.0.1', 9050, '', '', false],
  ['socks5h://[::1]:9050/', ProxyType.socks5, '::1', 9050, '', '', true],
  ['socks5h://al%40ice:s%3Aecret@h:1', ProxyType.socks5Pw, 'h', 1, 'al@ice', 's:ecret', true],
  ['http://proxy:8080', ProxyType.http, 'proxy', 8080, '', '', true],
  ['http://u:p@proxy:80', ProxyType.httpPw, 'proxy', 80, 'u', 'p', true],
])('%s', (text, proxyType, proxyHostname, proxyPort, proxyUsername, proxyPassword, proxyHostnames) => {
  expect(parseProxyUrl(text)).toEqual({
    proxyType,
    proxyHostname,
    proxyPort,
    proxyUsername,
    proxyPassword,
    proxyHostnames,
  })
})

test.each([
  ['proxy:1080', /written like/],
  ['127.0.0.1:1080', /written like/],
  ['ftp://proxy:21', /written like/],
  ['https://proxy:443', /not spoken to by TLS/],
  ['socks5://', /written like|host is missing/],
  ['http://proxy', /port is missing/],
  ['socks5://proxy:0', /port is missing/],
  ['socks5://proxy:70000', /written like/],
  ['socks5://proxy:1/path', /Nothing follows/],
  ['http://proxy:1/?x', /Nothing follows/],
  ['socks5://a%zz@proxy:1', /%25/],
  ['socks4://bob:secret@proxy:1', /no passwords/],
  ['socks4a://bob:secret@proxy:1', /no passwords/],
  ['socks5://:secret@proxy:1', /user name is missing/],
])('%s is refused, and it is said why', (text, reason) => {
  expect(() => parseProxyUrl(text)).toThrow(reason)
})

test('--anonymous keeps names from name servers, whatever the scheme says', () => {
  const proxy = parseProxyUrl('socks5://proxy:1')
  expect(proxyOptionSettings({ proxy, anonymous: true })).toMatchObject({ anonymousMode: true, proxyHostnames: true })
  const network = networkOf(proxyOptionSettings({ proxy, anonymous: true }))
  expect(network).toMatchObject({ isAnonymous: true, proxy: { kind: 'socks5', host: 'proxy', resolvesNames: true } })
})
