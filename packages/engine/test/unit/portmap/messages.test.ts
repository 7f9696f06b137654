import { expect, test } from 'vitest'
import { decodeNatpmpResponse, encodeAddressRequest, encodeNatpmpMap } from '../../../src/portmap/natpmpMessages.ts'
import { decodePcpResponse, encodePcpMap } from '../../../src/portmap/pcpMessages.ts'
import { natpmpError, pcpError } from '../../../src/portmap/portmapErrors.ts'
import { decodeSearchAnswer, SEARCH_PACKETS } from '../../../src/portmap/ssdp.ts'
import { fromHex, fromLatin1, latin1, toHex } from '../../../src/util/bytes.ts'

const bytes = (hex: string) => fromHex(hex.replaceAll(' ', '')) as Uint8Array

test('NAT-PMP requests are the bytes of RFC 6886, sections 3.2 to 3.4', () => {
  expect(toHex(encodeAddressRequest())).toBe('0000')
  expect(toHex(encodeNatpmpMap('udp', 0x1234, 0x5678, 3600))).toBe('000100001234567800000e10')
  expect(toHex(encodeNatpmpMap('tcp', 0x1234, 0x5678, 3600))).toBe('000200001234567800000e10')
  // To end a mapping, the suggested external port is zero.
  expect(toHex(encodeNatpmpMap('tcp', 0x1234, 0x5678, 0))).toBe('000200001234000000000000')
})

test('NAT-PMP answers are read', () => {
  expect(decodeNatpmpResponse(bytes('0080 0000 00000064 cb007105'))).toEqual({
    kind: 'address',
    result: 0,
    epoch: 100,
    address: '203.0.113.5',
  })
  expect(decodeNatpmpResponse(bytes('0082 0000 00000064 1234 5678 00000e10'))).toEqual({
    kind: 'map',
    result: 0,
    epoch: 100,
    protocol: 'tcp',
    localPort: 0x1234,
    externalPort: 0x5678,
    lifetime: 3600,
  })
  expect(decodeNatpmpResponse(bytes('0080 0003 00000064'))).toMatchObject({ kind: 'address', result: 3, address: null })
  expect(decodeNatpmpResponse(bytes('0081 0001 00000064'))).toEqual({ kind: 'unsupportedVersion' })
})

test.each([
  '',
  '00',
  '008000',
  '0080000000000064',
  '0002000000000064123456780000e010',
  '0083000000000064123456780000e010',
  '01820000000000641234567800000e10',
  '008200000000006412345678',
])('NAT-PMP: %s is no answer', (hex) => {
  expect(decodeNatpmpResponse(bytes(hex))).toBeNull()
})

const nonce = Uint8Array.from({ length: 12 }, (_, i) => i + 1)

test('a PCP MAP request is the bytes of RFC 6887, sections 7.1 and 11.1', () => {
  const request = {
    protocol: 'tcp',
    localAddress: '192.168.1.2',
    localPort: 0x1234,
    externalPort: 0x5678,
    nonce,
  } as const
  expect(toHex(encodePcpMap({ ...request, externalAddress: '203.0.113.5', lifetime: 3600 }))).toBe(
    '0201000000000e10' +
      '00000000000000000000ffffc0a80102' +
      '0102030405060708090a0b0c' +
      '0600000012345678' +
      '00000000000000000000ffffcb007105',
  )
  expect(toHex(encodePcpMap({ ...request, protocol: 'udp', externalAddress: null, lifetime: 0 }))).toBe(
    '0201000000000000' +
      '00000000000000000000ffffc0a80102' +
      '0102030405060708090a0b0c' +
      '1100000012340000' +
      '00000000000000000000ffff00000000',
  )
})

const PCP_OK =
  '02810000 00000e10 00000064 000000000000000000000000' +
  '0102030405060708090a0b0c 06000000 1234 5678 00000000000000000000ffffcb007105'

test('PCP answers are read', () => {
  expect(decodePcpResponse(bytes(PCP_OK))).toEqual({
    kind: 'map',
    result: 0,
    epoch: 100,
    lifetime: 3600,
    nonce,
    protocol: 'tcp',
    localPort: 0x1234,
    externalPort: 0x5678,
    externalAddress: '203.0.113.5',
  })
  // Options after it are left alone.
  expect(decodePcpResponse(bytes(`${PCP_OK}02000000`))).toMatchObject({ kind: 'map' })
  expect(decodePcpResponse(bytes(`02800000 00000000 00000064 ${'00'.repeat(12)}`))).toEqual({
    kind: 'announce',
    result: 0,
    epoch: 100,
  })
  expect(decodePcpResponse(bytes(`02810003 0000000a 00000064 ${'00'.repeat(12)}`))).toEqual({
    kind: 'error',
    result: 3,
    epoch: 100,
    lifetime: 10,
  })
  expect(decodePcpResponse(bytes(`01810001 0000000a 00000064 ${'00'.repeat(12)}`))).toEqual({
    kind: 'unsupportedVersion',
  })
})

test('a PCP request, a cut answer, an odd length, another protocol and a packet beyond 1100 bytes are no answers', () => {
  const ok = bytes(PCP_OK)
  const changed = (at: number, value: number) => ok.map((byte, i) => (i === at ? value : byte))
  expect(decodePcpResponse(changed(1, 0x01))).toBeNull()
  expect(decodePcpResponse(changed(0, 3))).toBeNull()
  expect(decodePcpResponse(changed(36, 1))).toBeNull()
  for (let length = 0; length < ok.length; length++) expect(decodePcpResponse(ok.subarray(0, length))).toBeNull()
  expect(decodePcpResponse(Uint8Array.of(...ok, 0))).toBeNull()
  expect(decodePcpResponse(Uint8Array.of(...ok, ...new Uint8Array(1100)))).toBeNull()
})

test("results become the manual's errors 120 to 124", () => {
  expect([1, 2, 3, 4, 5].map((result) => natpmpError(result).value)).toEqual([120, 121, 122, 123, 124])
  expect(pcpError(11)).toMatchObject({ code: 'noResources', value: 123, category: 'libtorrent', operation: 'portmap' })
  expect(pcpError(11).message).toContain('cannot provide external')
  for (let result = 1; result < 256; result++) {
    expect(pcpError(result).value).toBeGreaterThanOrEqual(120)
    expect(pcpError(result).value).toBeLessThanOrEqual(124)
  }
})

test('a search names its group, what it wants, and ends with an empty line', () => {
  for (const packet of SEARCH_PACKETS) {
    const text = latin1(packet)
    expect(text).toMatch(/^M-SEARCH \* HTTP\/1\.1\r\nHOST: 239\.255\.255\.250:1900\r\n/)
    expect(text).toContain('\r\nMAN: "ssdp:discover"\r\n')
    expect(text.endsWith('\r\n\r\n')).toBe(true)
  }
  expect(SEARCH_PACKETS.map((packet) => /\nST: (.*)\r/.exec(latin1(packet))?.[1])).toContain('upnp:rootdevice')
})

const answer = (location: string, start = 'HTTP/1.1 200 OK') =>
  decodeSearchAnswer(fromLatin1(`${start}\r\nST:upnp:rootdevice\r\nLocation:${location}\r\n\r\n`), '192.168.1.1')
    ?.href ?? null

test('an answer to a search tells where the description lies', () => {
  expect(answer('http://192.168.1.1:5431/dyndev/uuid:000f')).toBe('http://192.168.1.1:5431/dyndev/uuid:000f')
  expect(answer(' http://192.168.1.1/x#y')).toBe('http://192.168.1.1/x')
  expect(answer('http://192.168.1.1/x', 'HTTP/1.1 404 Not Found')).toBeNull()
  expect(answer('http://192.168.1.1/x', 'NOTIFY * HTTP/1.1')).toBeNull()
  expect(answer('http://192.168.1.1/x', 'M-SEARCH * HTTP/1.1')).toBeNull()
})
