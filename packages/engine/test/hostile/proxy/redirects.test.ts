import { expect, test } from 'vitest'
import type { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import { trackerAddressGuard } from '../../../src/tracker/trackerAddressGuard.ts'
import { webSeedAddressGuard } from '../../../src/webseed/webSeedAddressGuard.ts'
import { realProxy, routeTo } from '../../integration/proxy/proxies.ts'
import { outcome } from '../../integration/tracker/get.ts'
import { httpServer } from '../../integration/tracker/servers.ts'

// Through a proxy we see names only. What can be told from them is held to the rules of SSRF mitigation: the proxy may
// well run on our own machine, or in our network.

const trackerGuard = () =>
  trackerAddressGuard({ ssrfMitigation: true, allowedPaths: ['/announce'], checkAddress: () => null })

for (const kind of ['socks4', 'socks5', 'http'] as const) {
  test.each([
    ['http://localhost:1/secrets', 'ssrfMitigation'],
    ['http://a.localhost:1/secrets', 'ssrfMitigation'],
    ['http://127.0.0.1:1/secrets', 'ssrfMitigation'],
    ['http://2130706433:1/secrets', 'ssrfMitigation'],
    ['http://0x7f.1:1/secrets', 'ssrfMitigation'],
    ['http://[::1]:1/secrets', 'ssrfMitigation'],
    ['http://10.0.0.7:1/announce', 'ssrfMitigation'],
    ['http://[fd00::7]:1/announce', 'ssrfMitigation'],
    ['http://tracker.example:6379/announce', 'portBlocked'],
    ['http://tracker.example:25/announce', 'portBlocked'],
  ])(`a redirect to %s through ${kind} is refused before the proxy hears of it`, async (location, code) => {
    const { proxy, port } = await realProxy({ kind })
    const first = await httpServer((_, answer) => answer.writeHead(302, { Location: location }).end())
    const url = `http://tracker.example:${first}/announce`
    expect(await outcome(url, { proxy: routeTo(kind, port), checkAddress: trackerGuard() })).toBe(code)
    expect(proxy.targets).toEqual([`tracker.example:${first}`])
  })
}

test.each([
  ['file:///etc/passwd', 'unsupportedUrlProtocol'],
  ['ftp://tracker.example/', 'unsupportedUrlProtocol'],
])('a redirect through a proxy to %s leads nowhere', async (location, code) => {
  const { port } = await realProxy({ kind: 'socks5' })
  const first = await httpServer((_, answer) => answer.writeHead(302, { Location: location }).end())
  const proxy = routeTo('socks5', port)
  expect(await outcome(`http://tracker.example:${first}/announce`, { proxy })).toBe(code)
})

test('a redirect loop through a proxy ends', async () => {
  const { proxy, port } = await realProxy({ kind: 'socks5' })
  const server: number = await httpServer((_, answer) => {
    answer.writeHead(302, { Location: `http://tracker.example:${server}/announce` }).end()
  })
  const url = `http://tracker.example:${server}/announce`
  expect(await outcome(url, { proxy: routeTo('socks5', port) })).toBe('status 302')
  expect(proxy.targets.length).toBe(6)
})

test('a web seed with a name may not lead to the machine of the proxy', () => {
  const codeOf = (error: LibtorrentError | null) => error?.code ?? null
  const guard = webSeedAddressGuard({ ssrfMitigation: true, checkAddress: () => null })
  expect(codeOf(guard('web.example', 'http://web.example/a'))).toBeNull()
  expect(codeOf(guard('localhost', 'http://localhost/b'))).toBe('ssrfMitigation')
  expect(codeOf(guard('10.0.0.1', 'http://10.0.0.1/b'))).toBe('ssrfMitigation')
  expect(codeOf(guard('web.example', 'http://web.example:6379/'))).toBe('portBlocked')
})
