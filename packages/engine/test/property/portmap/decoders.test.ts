import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SimXml } from '../../../sim/simXml.ts'
import { readDescription } from '../../../src/portmap/deviceDescription.ts'
import { deviceUrl } from '../../../src/portmap/deviceUrl.ts'
import { decodeNatpmpResponse, encodeNatpmpMap } from '../../../src/portmap/natpmpMessages.ts'
import { decodePcpResponse, encodePcpMap } from '../../../src/portmap/pcpMessages.ts'
import { printable } from '../../../src/portmap/printable.ts'
import { encodeSoap, readSoapReply } from '../../../src/portmap/soap.ts'
import { decodeSearchAnswer } from '../../../src/portmap/ssdp.ts'
import { fromUtf8, utf8 } from '../../../src/util/bytes.ts'
import { parseHttpuMessage } from '../../../src/util/httpuMessage.ts'
import { portmapScene } from '../../unit/portmap/fakes.ts'

const port = fc.integer({ min: 1, max: 65535 })
const u32 = fc.nat({ max: 0xffff_ffff })
const protocol = fc.constantFrom('tcp' as const, 'udp' as const)
const bytes = fc.uint8Array({ maxLength: 200 })
/** Bytes that begin like an answer of NAT-PMP or PCP. */
const answerBytes = fc
  .tuple(fc.constantFrom(0, 1, 2, 3), fc.nat({ max: 255 }), fc.constantFrom(0, 1, 2, 13, 255), bytes)
  .map(([version, op, result, rest]) => Uint8Array.of(version, op, 0, result, ...rest))
/** Text that looks like XML, so that the reader gets further than the first character. */
const xmlText = fc
  .array(
    fc.oneof(
      fc.constantFrom('<root>', '</root>', '<service>', '</service>', '<controlURL>', '</controlURL>', '<serviceType>'),
      fc.constantFrom('</serviceType>', 'urn:schemas-upnp-org:service:WANIPConnection:1', '/ctl', '<errorCode>', '718'),
      fc.constantFrom(
        '<![CDATA[',
        ']]>',
        '<!--',
        '-->',
        '<?xml ',
        '?>',
        '<!DOCTYPE x [',
        ']>',
        '&amp;',
        '&#x110000;',
        '&x;',
      ),
      fc.constantFrom('<URLBase>', '</URLBase>', '<a b="', '"', '/>', '\u0000', '\ud800', '<NewReservedPort>', '</'),
      fc.string({ unit: 'binary', maxLength: 10 }),
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''))

test('a NAT-PMP mapping is answered with what was asked', () => {
  fc.assert(
    fc.property(protocol, port, port, u32, u32, (proto, localPort, externalPort, lifetime, epoch) => {
      const request = encodeNatpmpMap(proto, localPort, externalPort, lifetime)
      const answer = new Uint8Array(16)
      answer.set([0, request[1] | 0x80, 0, 0, epoch >>> 24, epoch >>> 16, epoch >>> 8, epoch])
      answer.set(request.subarray(4), 8)
      const expected = { kind: 'map', result: 0, epoch, protocol: proto, localPort, lifetime }
      expect(decodeNatpmpResponse(answer)).toEqual({ ...expected, externalPort: lifetime === 0 ? 0 : externalPort })
    }),
  )
})

test('a PCP mapping is answered with what was asked', () => {
  const nonceBytes = fc.uint8Array({ minLength: 12, maxLength: 12 })
  fc.assert(
    fc.property(
      protocol,
      port,
      port,
      u32,
      nonceBytes,
      fc.ipV4(),
      (proto, localPort, externalPort, lifetime, nonce, ip) => {
        const answer = encodePcpMap({
          protocol: proto,
          localAddress: ip,
          localPort,
          externalPort,
          externalAddress: ip,
          lifetime,
          nonce,
        })
        answer[1] |= 0x80
        answer.fill(0, 8, 24)
        const ends = lifetime === 0
        expect(decodePcpResponse(answer)).toEqual({
          kind: 'map',
          result: 0,
          epoch: 0,
          lifetime,
          nonce: Uint8Array.from(nonce),
          protocol: proto,
          localPort,
          externalPort: ends ? 0 : externalPort,
          externalAddress: ends ? '0.0.0.0' : ip,
        })
      },
    ),
  )
})

test('no bytes make the decoders throw', () => {
  fc.assert(
    fc.property(fc.oneof(bytes, answerBytes), (packet) => {
      decodeNatpmpResponse(packet)
      decodePcpResponse(packet)
      decodeSearchAnswer(packet, '192.168.1.1')
      const message = parseHttpuMessage(packet, 100)
      if (message !== null) expect(packet.length).toBeLessThanOrEqual(100)
    }),
    { numRuns: 1000 },
  )
})

test('any text is a URL of the device or none', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.webUrl({ withFragments: true }),
    fc
      .tuple(fc.constantFrom('http://192.168.1.1', 'http:192.168.1.1', '//192.168.1.1', ''), fc.string())
      .map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(text, (each) => {
      const url = deviceUrl(each, '192.168.1.1', new URL('http://192.168.1.1:5000/x/y'))
      if (url === null) return
      expect([url.protocol, url.hostname, url.username, url.hash]).toEqual(['http:', '192.168.1.1', '', ''])
    }),
    { numRuns: 500 },
  )
})

test('no document makes a reader throw, and what it gives is bounded', () => {
  const xml = new SimXml()
  fc.assert(
    fc.property(fc.oneof(xmlText.map(utf8), fc.uint8Array({ maxLength: 400 })), (body) => {
      let answers = 0
      readDescription(xml, body, new URL('http://192.168.1.1:5000/'), (found) => {
        answers++
        for (const { controlUrl } of found?.services ?? []) expect(controlUrl.hostname).toBe('192.168.1.1')
      })
      readSoapReply(xml, body, (reply) => {
        answers++
        if (reply?.errorCode != null) expect(Number.isInteger(reply.errorCode)).toBe(true)
      })
      expect(answers).toBe(2)
    }),
    { numRuns: 1000 },
  )
})

test('whatever an argument of a call is, it is read back as one line of it', () => {
  const xml = new SimXml()
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (value) => {
      const body = fromUtf8(encodeSoap('urn:x', 'A', [['errorDescription', value]]))
      readSoapReply(xml, utf8(body), (reply) => expect(reply?.errorDescription).toBe(printable(value, 200)))
    }),
    { numRuns: 500 },
  )
})

test('whatever gateway and devices send, nothing throws, and the end leaves nothing open', () => {
  const packet = fc.record({
    bytes: fc.oneof(bytes, answerBytes),
    fromGateway: fc.boolean(),
    pause: fc.nat({ max: 4000 }),
  })
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 30 }), (packets) => {
      const scene = portmapScene()
      scene.mapper.addMapping('udp', 6881, 6881)
      scene.mapper.startNatpmp()
      scene.mapper.startUpnp()
      for (const each of packets) {
        scene.time.pass(each.pause)
        const address = each.fromGateway ? '192.168.1.1' : '192.168.1.9'
        scene.udp.deliver(each.bytes, { address, port: 5351 })
        for (const socket of [0, 5350]) scene.localNetwork.deliver(socket, each.bytes, { address, port: 5351 })
      }
      scene.mapper.stop(() => {})
      scene.time.pass(3000)
      expect([scene.time.pending, scene.udp.open.size, scene.localNetwork.sockets.size]).toEqual([0, 0, 0])
    }),
  )
})
