import { describe, expect, test } from 'vitest'
import { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import type { ProxyRoute } from '../../../src/platform/proxyRoute.ts'
import { HttpConnectHandshake } from '../../../src/proxy/httpConnectHandshake.ts'
import { makeHandshake } from '../../../src/proxy/makeHandshake.ts'
import type { HandshakeStep, ProxyHandshake } from '../../../src/proxy/proxyHandshake.ts'
import { Socks4Handshake } from '../../../src/proxy/socks4Handshake.ts'
import { Socks5Command, Socks5Handshake } from '../../../src/proxy/socks5Handshake.ts'
import { fromLatin1, latin1, toHex } from '../../../src/util/bytes.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)
const V4 = { host: '10.1.2.3', port: 6881 }
const LOGIN = { username: 'alice', password: 'secret' }

function errorOf(step: HandshakeStep): string {
  if (step.name !== 'failed') throw new Error(`not failed but ${step.name}`)
  const { category, code, operation } = step.error
  return `${category} ${code} ${operation}`
}

function sent(step: HandshakeStep): string {
  return step.name === 'wait' && step.send !== null ? toHex(step.send) : step.name
}

describe('SOCKS5 (RFC 1928)', () => {
  test('an IPv4 target without login; what follows the reply is payload', () => {
    const handshake = new Socks5Handshake(V4, null)
    expect(toHex(handshake.start())).toBe('050100')
    expect(handshake.isAsking).toBe(false)
    expect(sent(handshake.push(bytes(5, 0)))).toBe('05010001' + '0a010203' + '1ae1')
    expect(handshake.isAsking).toBe(true)
    const step = handshake.push(bytes(5, 0, 0, 1, 1, 2, 3, 4, 0, 80, 7, 8, 9))
    expect(step).toEqual({ name: 'done', rest: bytes(7, 8, 9), bound: { host: '1.2.3.4', port: 80 } })
  })

  test('an IPv6 target, and a name', () => {
    const v6 = new Socks5Handshake({ host: '2001:db8::1', port: 80 }, null)
    v6.start()
    expect(sent(v6.push(bytes(5, 0)))).toBe('05010004' + '20010db8000000000000000000000001' + '0050')
    const named = new Socks5Handshake({ host: 'tracker.example', port: 443 }, null)
    named.start()
    expect(sent(named.push(bytes(5, 0)))).toBe(`05010003${toHex(fromLatin1('\x0ftracker.example'))}01bb`)
  })

  test('UDP ASSOCIATE; the relay may be named by a host name or an IPv6 address', () => {
    for (const [address, host] of [
      [[3, 1, 0x78], 'x'],
      [[4, ...Array<number>(15).fill(0), 1], '::1'],
    ] as const) {
      const handshake = new Socks5Handshake({ host: '0.0.0.0', port: 0 }, null, Socks5Command.udpAssociate)
      handshake.start()
      expect(sent(handshake.push(bytes(5, 0)))).toBe('05030001' + '00000000' + '0000')
      expect(handshake.push(bytes(5, 0, 0, ...address, 0x1f, 0x90))).toMatchObject({ bound: { host, port: 8080 } })
    }
  })

  test('logs in when the proxy wants it (RFC 1929), and not when it does not', () => {
    const handshake = new Socks5Handshake(V4, LOGIN)
    expect(toHex(handshake.start())).toBe('05020002')
    expect(sent(handshake.push(bytes(5, 2)))).toBe(toHex(fromLatin1('\x01\x05alice\x06secret')))
    expect(sent(handshake.push(bytes(1, 0)))).toMatch(/^0501/)
    const open = new Socks5Handshake(V4, LOGIN)
    open.start()
    expect(sent(open.push(bytes(5, 0)))).toMatch(/^0501/)
  })

  test('a name or password beyond 255 bytes is cut', () => {
    const handshake = new Socks5Handshake(V4, { username: 'ü'.repeat(300), password: 'p'.repeat(300) })
    handshake.start()
    const step = handshake.push(bytes(5, 2))
    expect(step.name === 'wait' && step.send?.length).toBe(1 + 1 + 255 + 1 + 255)
  })

  test.each([
    ['another version', [4], 'socks unsupportedVersion proxy'],
    ['an HTTP server', [0x48], 'socks unsupportedVersion proxy'],
    ['no acceptable method', [5, 255], 'socks unsupportedAuthenticationMethod proxy'],
    ['GSSAPI', [5, 1], 'socks unsupportedAuthenticationMethod proxy'],
    ['more than was asked for', [5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0], 'socks generalFailure proxy'],
  ])('answers the greeting with %s', (_what, answer, error) => {
    const handshake = new Socks5Handshake(V4, LOGIN)
    handshake.start()
    expect(errorOf(handshake.push(bytes(...answer)))).toBe(error)
  })

  test('wants a name, and there is none', () => {
    const handshake = new Socks5Handshake(V4, null)
    handshake.start()
    expect(errorOf(handshake.push(bytes(5, 2)))).toBe('socks usernameRequired proxy')
  })

  test.each([
    ['a wrong version', [5, 0], 'socks unsupportedAuthenticationVersion proxy'],
    ['no', [1, 1], 'socks authenticationError proxy'],
  ])('answers the login with %s', (_what, answer, error) => {
    const handshake = new Socks5Handshake(V4, LOGIN)
    handshake.start()
    handshake.push(bytes(5, 2))
    expect(errorOf(handshake.push(bytes(...answer)))).toBe(error)
  })

  test.each([
    [1, 'socks generalFailure connect'],
    [2, 'system EPERM connect'],
    [3, 'system ENETUNREACH connect'],
    [4, 'system EHOSTUNREACH connect'],
    [5, 'system ECONNREFUSED connect'],
    [6, 'system ETIMEDOUT connect'],
    [7, 'socks commandNotSupported proxy'],
    [8, 'system EAFNOSUPPORT connect'],
    [9, 'socks generalFailure connect'],
    [255, 'socks generalFailure connect'],
  ])('refuses with %i, which some proxies send without the rest', (reply, error) => {
    const handshake = new Socks5Handshake(V4, null)
    handshake.start()
    handshake.push(bytes(5, 0))
    expect(errorOf(handshake.push(bytes(5, reply)))).toBe(error)
  })

  test('names an address of a kind that does not exist', () => {
    const handshake = new Socks5Handshake(V4, null)
    handshake.start()
    handshake.push(bytes(5, 0))
    expect(errorOf(handshake.push(bytes(5, 0, 0, 2, 1)))).toBe('socks generalFailure proxy')
  })
})

describe('SOCKS4', () => {
  test('an address with a user name; 4a for a name', () => {
    expect(toHex(new Socks4Handshake(V4, 'alice').start())).toBe(`04011ae10a010203${toHex(fromLatin1('alice\0'))}`)
    expect(toHex(new Socks4Handshake({ host: 'x.example', port: 80 }, '').start())).toBe(
      `0401005000000001${toHex(fromLatin1('\0x.example\0'))}`,
    )
  })

  test('granted, with the first bytes of the peer behind', () => {
    const handshake = new Socks4Handshake(V4, '')
    expect(handshake.push(bytes(0, 90, 0, 0, 0)).name).toBe('wait')
    expect(handshake.push(bytes(0, 0, 0, 1, 2))).toEqual({ name: 'done', rest: bytes(1, 2), bound: null })
  })

  test.each([
    [[5], 'socks unsupportedVersion proxy'],
    [[0, 91], 'socks generalFailure connect'],
    [[0, 92], 'socks noIdentd proxy'],
    [[0, 93], 'socks identdError proxy'],
    [[0, 0], 'socks generalFailure proxy'],
  ])('answers %j', (answer, error) => {
    expect(errorOf(new Socks4Handshake(V4, '').push(bytes(...answer)))).toBe(error)
  })
})

describe('HTTP CONNECT', () => {
  const answer = (text: string, login = false) =>
    new HttpConnectHandshake(V4, login ? LOGIN : null).push(fromLatin1(text))

  test('asks for the target, logged in or not, IPv6 in brackets', () => {
    expect(latin1(new HttpConnectHandshake(V4, null).start())).toBe(
      'CONNECT 10.1.2.3:6881 HTTP/1.1\r\nHost: 10.1.2.3:6881\r\n\r\n',
    )
    expect(latin1(new HttpConnectHandshake({ host: '::1', port: 1 }, LOGIN).start())).toBe(
      'CONNECT [::1]:1 HTTP/1.1\r\nHost: [::1]:1\r\nProxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n\r\n',
    )
  })

  test('any 2xx is a tunnel, whatever the headers; bare line feeds will do', () => {
    for (const head of ['HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n', 'HTTP/1.1 204\n\n']) {
      expect(answer(`${head}\x13Bit`)).toEqual({ name: 'done', rest: fromLatin1('\x13Bit'), bound: null })
    }
  })

  test.each([
    ['HTTP/1.1 407 no\r\n\r\n', 'http http407 proxy'],
    ['HTTP/1.1 403 Forbidden\r\n\r\n', 'http forbidden connect'],
    ['HTTP/1.1 502 Bad Gateway\r\n\r\n', 'http badGateway connect'],
    ['HTTP/1.1 302 Found\r\nLocation: http://evil/\r\n\r\n', 'http movedTemporarily connect'],
    ['HTTP/2 200\r\n\r\n', 'libtorrent httpParseError proxy'],
    ['HTTP/1.1 2000 OK\r\n\r\n', 'libtorrent httpParseError proxy'],
    ['HTTP/1.1 abc\r\n\r\n', 'libtorrent httpParseError proxy'],
    ['SSH-2.0', 'libtorrent httpParseError proxy'],
  ])('%j', (text, error) => {
    expect(errorOf(answer(text))).toBe(error)
  })
})

describe('what a proxy can be asked for', () => {
  const route: ProxyRoute = {
    kind: 'socks5',
    host: 'p',
    port: 1,
    login: null,
    resolvesNames: true,
    tellsName: false,
  }
  const made = (kind: ProxyRoute['kind'], host: string): ProxyHandshake | string => {
    const result = makeHandshake({ ...route, kind, login: { username: 'a\0b', password: '' } }, { host, port: 80 })
    return result instanceof LibtorrentError ? `${result.code} ${result.operation}` : result
  }

  test('names that could end a line or a text are none', () => {
    for (const kind of ['socks4', 'socks5', 'http'] as const) {
      for (const host of ['', 'a b', 'a\r\nHost: c', 'a\0b', 'x'.repeat(256), 'ü.example', 'a:1', '[::1]']) {
        expect(made(kind, host)).toBe('invalidHostname connect')
      }
    }
  })

  test('SOCKS4 knows no IPv6, and its user name no end within', () => {
    expect(made('socks4', '::1')).toBe('EAFNOSUPPORT connect')
    expect(latin1((made('socks4', '1.2.3.4') as ProxyHandshake).start()).endsWith('ab\0')).toBe(true)
  })
})
