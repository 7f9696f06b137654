import { expect, test } from 'vitest'
import { listenEndpoints, parseListenInterfaces } from '../../../src/session/listenInterfaces.ts'
import { wantedSockets } from '../../../src/session/wantedSockets.ts'

const PRESENT = [
  { name: 'lo', address: '127.0.0.1', prefixLength: 8 },
  { name: 'eth0', address: '10.0.0.5', prefixLength: 24 },
  { name: 'eth0', address: '2001:db8::5', prefixLength: 64 },
  { name: 'eth0', address: 'fe80::5', prefixLength: 64 },
  { name: 'tun0', address: '169.254.3.4', prefixLength: 16 },
]

const texts = (text: string) =>
  parseListenInterfaces(text).map(
    ({ device, port, ssl, local }) => `${device} ${port}${ssl ? 's' : ''}${local ? 'l' : ''}`,
  )

// The cases of libtorrent's own test of its parser.
test.each([
  ['0.0.0.0:6881,[::]:6881', ['0.0.0.0 6881', ':: 6881']],
  [' eth0:4433s , 10.0.0.1:80l ', ['eth0 4433s', '10.0.0.1 80l']],
  ['eth0:1sl,eth0:2ls', ['eth0 1sl', 'eth0 2sl']],
  ['"eth0:1","[::1]:2"', ['eth0 1', '::1 2']],
  ['[::1]:0s', ['::1 0s']],
  ['eth0: 5', ['eth0 5']],
  ['eth 0.1:5', ['eth 0.1 5']],
  [',,a:1,,', ['a 1']],
  ['eth0', []],
  ['eth0:', []],
  ['eth0:65536', []],
  ['eth0:123456', []],
  ['eth0:-1', []],
  ['eth0:http', []],
  ['[::1:5', []],
  ['[::1]5', []],
  ['[eth0]:5', []],
  ['300.1.1.1:5', []],
  ['', []],
])('%j is read as %j', (text, expected) => {
  expect(texts(text)).toEqual(expected)
})

test('a setting with a million entries is cut off', () => {
  expect(parseListenInterfaces('10.0.0.1:1,'.repeat(100_000)).length).toBeLessThan(100)
})

test('a device is all of its addresses, but the link-local ones of IPv6', () => {
  const at = (text: string) =>
    listenEndpoints(parseListenInterfaces(text), PRESENT).map(({ address, local }) => [address, local])
  expect(at('eth0:6881')).toEqual([
    ['10.0.0.5', false],
    ['2001:db8::5', false],
  ])
  expect(at('eth0:6881l')).toEqual([
    ['10.0.0.5', true],
    ['2001:db8::5', true],
  ])
  expect(at('lo:6881,tun0:6881')).toEqual([
    ['127.0.0.1', true],
    ['169.254.3.4', true],
  ])
  expect(at('wg0:6881')).toEqual([])
  // Named twice, opened once.
  expect(at('eth0:6881,10.0.0.5:6881')).toEqual([
    ['10.0.0.5', false],
    ['2001:db8::5', false],
  ])
  // Who names a loopback address means it.
  expect(at('127.0.0.1:6881')).toEqual([['127.0.0.1', false]])
})

test.each([
  ['0.0.0.0:6881', 4433, false, ['6881']],
  ['0.0.0.0:6881', 4433, true, ['6881', '4433s']],
  ['0.0.0.0:6881', 5000, false, ['6881', '5000s']],
  ['0.0.0.0:6881', 0, true, ['6881']],
  ['0.0.0.0:6881,0.0.0.0:7000s', 5000, true, ['6881', '7000s']],
])('%s with ssl_listen %i, an SSL torrent: %s', (listenInterfaces, sslListen, hasSslTorrent, expected) => {
  const wanted = wantedSockets({ settings: { listenInterfaces, sslListen }, present: [], hasSslTorrent })
  expect(wanted.map(({ port, ssl }) => `${port}${ssl ? 's' : ''}`)).toEqual(expected)
})
