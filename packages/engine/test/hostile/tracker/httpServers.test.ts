import { deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { libtorrentError } from '../../../src/errors/libtorrentError.ts'
import type { HttpRequest } from '../../../src/platform/http.ts'
import { trackerAddressGuard } from '../../../src/tracker/trackerAddressGuard.ts'
import { forLocalhost } from '../../integration/tracker/certificates.ts'
import { outcome, response } from '../../integration/tracker/get.ts'
import { httpServer, httpsServer, rawServer } from '../../integration/tracker/servers.ts'

const at = (port: number, path = '/announce') => `http://127.0.0.1:${port}${path}`
const MEGABYTE = 1024 * 1024

describe('a body without bounds', () => {
  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ])('that unpacks from %s to much more is refused before it is unpacked', async (encoding, pack) => {
    const bomb = pack(Buffer.alloc(40 * MEGABYTE))
    const port = await httpServer((_, answer) => answer.writeHead(200, { 'content-encoding': encoding }).end(bomb))
    const before = process.memoryUsage().rss
    expect(await outcome(at(port))).toBe('packetTooLarge')
    expect(process.memoryUsage().rss - before).toBeLessThan(20 * MEGABYTE)
  })

  test('in an encoding that was not asked for, or in layers of it, is refused', async () => {
    const layers = gzipSync(gzipSync(Buffer.alloc(1000)))
    for (const encoding of ['br', 'gzip, gzip', 'gzip gzip', 'zstd', 'x']) {
      const port = await httpServer((_, answer) => answer.writeHead(200, { 'content-encoding': encoding }).end(layers))
      expect(await outcome(at(port))).toBe('httpFailedDecompress')
    }
  })

  test('that is no gzip, or half of one, is refused', async () => {
    const whole = gzipSync(Buffer.alloc(1000))
    for (const body of [Buffer.from('not gzip'), whole.subarray(0, 20), whole.subarray(0, whole.length - 4)]) {
      const port = await httpServer((_, answer) => answer.writeHead(200, { 'content-encoding': 'gzip' }).end(body))
      expect(await outcome(at(port))).toBe('httpFailedDecompress')
    }
  })

  test('that says so is refused at its header', async () => {
    const port = await httpServer((_, answer) => {
      answer.writeHead(200, { 'content-length': String(2 ** 40) }).write('x')
    })
    expect(await outcome(at(port))).toBe('packetTooLarge')
  })

  test('that never ends is cut off at the limit', async () => {
    let sent = 0
    const port = await httpServer((_, answer) => {
      const chunk = Buffer.alloc(64 * 1024)
      const more = () => {
        while (!answer.destroyed && answer.write(chunk)) sent += chunk.length
      }
      answer.on('drain', more)
      answer.on('error', () => {})
      more()
    })
    expect(await outcome(at(port), { maxBodyBytes: MEGABYTE })).toBe('packetTooLarge')
    expect(sent).toBeLessThan(16 * MEGABYTE)
  })

  test('whose chunk claims 2^63 bytes, or more than a number holds, is refused', async () => {
    for (const size of ['7fffffffffffffff', 'ffffffffffffffff', 'f'.repeat(100)]) {
      const port = await rawServer((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${size}\r\n`)
        socket.end('x')
      })
      expect(['httpParseError', 'ECONNRESET']).toContain(await outcome(at(port)))
    }
  })

  test('that comes a byte at a time runs out of time', async () => {
    const port = await httpServer((_, answer) => {
      const drip = setInterval(() => answer.write('x'), 5)
      answer.on('close', () => clearInterval(drip))
      answer.on('error', () => {})
    })
    expect(await outcome(at(port), { completionTimeout: 100, receiveTimeout: 50 })).toBe('timedOut')
  })

  test('that ends early is refused', async () => {
    const port = await rawServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'))
    expect(await outcome(at(port))).toBe('ECONNRESET')
  })
})

describe('a header', () => {
  test('without end, in one line or in many, is cut off', async () => {
    for (const line of ['x'.repeat(1000), `x: ${'y'.repeat(100)}\r\n`]) {
      const port = await rawServer((socket) => {
        socket.write('HTTP/1.1 200 OK\r\na: ')
        const more = () => {
          while (!socket.destroyed && socket.write(line));
        }
        socket.on('drain', more)
        more()
      })
      expect(await outcome(at(port))).toBe('packetTooLarge')
    }
  })

  test('that comes a byte at a time runs out of time', async () => {
    const port = await rawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\na: ')
      const drip = setInterval(() => socket.write('x'), 5)
      socket.on('close', () => clearInterval(drip))
    })
    expect(await outcome(at(port), { completionTimeout: 1000, receiveTimeout: 60 })).toBe('timedOut')
  })

  test.each([
    'SSH-2.0-OpenSSH_9\r\n',
    '220 mail ESMTP\r\n',
    'HTTP/9.9 200 OK\r\n\r\n',
    'HTTP/1.1 2000 OK\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    '\0\0\0\0',
  ])('that is none (%j) is refused', async (text) => {
    const port = await rawServer((socket) => socket.end(text))
    expect(await outcome(at(port))).toBe('httpParseError')
  })

  test('that changes the protocol, and a connection closed without any, are refused', async () => {
    const upgrade = await rawServer((socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    )
    expect(await outcome(at(upgrade))).toBe('ECONNRESET')
    const closed = await rawServer((socket) => socket.end())
    expect(await outcome(at(closed))).toBe('ECONNRESET')
  })

  test('that is announced for ever runs out of time', async () => {
    const port = await rawServer((socket) => {
      const again = setInterval(() => socket.write('HTTP/1.1 100 Continue\r\n\r\n'), 5)
      socket.on('close', () => clearInterval(again))
    })
    expect(await outcome(at(port), { completionTimeout: 1000, receiveTimeout: 60 })).toBe('timedOut')
  })
})

describe('a redirect', () => {
  const redirecting = (location: string) =>
    httpServer((_, answer) => answer.writeHead(302, { location }).end('elsewhere'))

  test('in a circle is followed five times', async () => {
    let hops = 0
    const port = await httpServer((_, answer) => {
      hops++
      answer.writeHead(302, { location: '/announce' }).end()
    })
    expect(await outcome(at(port))).toBe('status 302')
    expect(hops).toBe(1 + 5)
  })

  test.each([
    ['file:///etc/passwd', 'unsupportedUrlProtocol'],
    ['ftp://127.0.0.1/', 'unsupportedUrlProtocol'],
    ['javascript:alert(1)', 'unsupportedUrlProtocol'],
    ['data:text/plain,x', 'unsupportedUrlProtocol'],
    ['http://', 'invalidRedirection'],
    ['http://[zz]/', 'invalidRedirection'],
    ['http://127.0.0.1:99999/', 'invalidRedirection'],
  ])('to %s is refused with %s', async (location, code) => {
    expect(await outcome(at(await redirecting(location)))).toBe(code)
  })

  test('to nowhere is refused', async () => {
    const port = await httpServer((_, answer) => answer.writeHead(302).end())
    expect(await outcome(at(port))).toBe('httpMissingLocation')
  })

  test('from https to http is refused', async () => {
    const open = await httpServer((_, answer) => answer.end())
    const port = await httpsServer(forLocalhost, (_, answer) => answer.writeHead(302, { location: at(open) }).end())
    expect(await outcome(`https://127.0.0.1:${port}/announce`, { validateCertificate: false })).toBe(
      'invalidRedirection',
    )
  })

  test('to a port of another origin with a broken certificate is refused', async () => {
    const secure = await httpsServer(forLocalhost, (_, answer) => answer.end())
    const port = await redirecting(`https://127.0.0.1:${secure}/announce`)
    expect(await outcome(at(port))).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  })
})

describe('the check of addresses', () => {
  /** A guard that takes 127.0.0.1 for a public tracker, so that the test can stand for the internet. */
  function asPublicTracker(): Pick<HttpRequest, 'checkAddress'> {
    const guard = trackerAddressGuard({ ssrfMitigation: true, allowedPaths: ['/announce'], checkAddress: () => null })
    return { checkAddress: (address, url) => guard(address === '127.0.0.1' ? '8.8.8.8' : address, url) }
  }

  test.each(['127.0.0.2', '127.1.1.1', '[::1]', '0.0.0.0', '2130706434', '0x7f000002', '127.2', 'localhost6'])(
    'keeps a public tracker from redirecting to %s',
    async (host) => {
      let reached = false
      const inside = await httpServer((_, answer) => {
        reached = true
        answer.end()
      }, '0.0.0.0')
      const port = await httpServer((_, answer) => {
        answer.writeHead(302, { location: `http://${host}:${inside}/announce` }).end()
      })
      expect(['ssrfMitigation', 'ENOTFOUND', 'EAI_AGAIN']).toContain(await outcome(at(port), asPublicTracker()))
      expect(reached).toBe(false)
    },
  )

  test('sees every hop, with its URL, and what it refuses is not connected to', async () => {
    let reached = 0
    const end = await httpServer((_, answer) => {
      reached++
      answer.end()
    })
    const start = await httpServer((_, answer) => answer.writeHead(302, { location: at(end, '/end') }).end())
    const seen: string[] = []
    const checkAddress = (address: string, url: string) => {
      seen.push(`${address} ${url}`)
      return url.endsWith('/end') ? libtorrentError('bannedByIpFilter') : null
    }
    expect(await outcome(at(start), { checkAddress })).toBe('bannedByIpFilter')
    expect(seen).toEqual([`127.0.0.1 ${at(start)}`, `127.0.0.1 ${at(end, '/end')}`])
    expect(reached).toBe(0)
  })

  test('judges the very address that a name leads to', async () => {
    const port = await httpServer((_, answer) => answer.end())
    const seen: string[] = []
    const note = (address: string) => {
      seen.push(address)
      return null
    }
    const result = await response(`http://localhost:${port}/`, { checkAddress: note })
    expect(seen).toContain(result.remoteAddress)
    const refuse = () => libtorrentError('bannedByIpFilter')
    expect(await outcome(`http://localhost:${port}/`, { checkAddress: refuse })).toBe('bannedByIpFilter')
  })
})
