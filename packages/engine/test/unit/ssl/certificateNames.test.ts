import fc from 'fast-check'
import { expect, test } from 'vitest'
import { certificateNames } from '../../../src/ssl/certificateNames.ts'
import { coversTorrent } from '../../../src/ssl/coversTorrent.ts'
import { infoHashOfServerName, serverNameOf } from '../../../src/ssl/serverName.ts'
import { concatBytes, utf8 } from '../../../src/util/bytes.ts'
import { Sha1Hash } from '../../../src/util/digest.ts'

const COMMON_NAME = [0x55, 4, 3]
const ORGANIZATION = [0x55, 4, 10]
const SUBJECT_ALT_NAME = [0x55, 0x1d, 0x11]
const KEY_USAGE = [0x55, 0x1d, 0x0f]

/** A value in DER. */
function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(...parts)
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return concatBytes(Uint8Array.of(tag, ...size), content)
}

const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts)
const oid = (bytes: readonly number[]) => der(6, Uint8Array.from(bytes))
const attribute = (type: readonly number[], value: string, tag = 0x0c) =>
  der(0x31, sequence(oid(type), der(tag, utf8(value))))
const dnsName = (name: string) => der(0x82, utf8(name))

interface Parts {
  readonly subject?: readonly Uint8Array[]
  readonly alternatives?: readonly Uint8Array[]
  readonly isCritical?: boolean
  readonly version?: boolean
}

/** As much of a certificate as its names need (RFC 5280, 4.1). */
function certificate({ subject = [], alternatives, isCritical, version = true }: Parts): Uint8Array {
  const nothing = sequence()
  const extensions = [sequence(oid(KEY_USAGE), der(4, der(3, Uint8Array.of(0, 1))))]
  if (alternatives !== undefined) {
    const critical = isCritical ? [der(1, Uint8Array.of(0xff))] : []
    extensions.push(sequence(oid(SUBJECT_ALT_NAME), ...critical, der(4, sequence(...alternatives))))
  }
  const body = sequence(
    ...(version ? [der(0xa0, der(2, Uint8Array.of(2)))] : []),
    der(2, Uint8Array.of(1)),
    nothing,
    sequence(attribute(COMMON_NAME, 'issuer')),
    nothing,
    sequence(...subject),
    nothing,
    der(0xa3, sequence(...extensions)),
  )
  return sequence(body, nothing, der(3, Uint8Array.of(0)))
}

function covers(parts: Parts, name: string): boolean {
  const names = certificateNames(certificate(parts))
  return names !== null && coversTorrent(names, name)
}

test.each<[string, Parts, string, boolean]>([
  ['a dNSName that is the name', { alternatives: [dnsName('other'), dnsName('name')] }, 'name', true],
  ['a star', { alternatives: [dnsName('*')] }, 'anything', true],
  ['a star as Common Name', { subject: [attribute(COMMON_NAME, '*')] }, 'anything', true],
  ['a dNSName in UTF-8', { alternatives: [dnsName('Größe ☃')] }, 'Größe ☃', true],
  ['the same name composed otherwise', { alternatives: [dnsName('e\u0301')] }, '\u00e9', false],
  ['another case', { alternatives: [dnsName('Name')] }, 'name', false],
  [
    'a wildcard that is no single star',
    { alternatives: [dnsName('*.name'), dnsName('na*'), dnsName('**')] },
    'x.name',
    false,
  ],
  ['a longer name', { alternatives: [dnsName('name2'), dnsName('nam')] }, 'name', false],
  ['a name with a zero byte behind', { alternatives: [dnsName('name\0.evil')] }, 'name', false],
  ['an IP address field', { alternatives: [der(0x87, utf8('name'))] }, 'name', false],
  ['an e-mail field', { alternatives: [der(0x81, utf8('name'))] }, 'name', false],
  ['the last Common Name', { subject: [attribute(COMMON_NAME, 'x'), attribute(COMMON_NAME, 'name')] }, 'name', true],
  [
    'a Common Name that is not the last',
    { subject: [attribute(COMMON_NAME, 'name'), attribute(COMMON_NAME, 'x')] },
    'name',
    false,
  ],
  [
    'the Common Name beside dNSNames that do not fit',
    { subject: [attribute(COMMON_NAME, 'name')], alternatives: [dnsName('x')] },
    'name',
    true,
  ],
  ['an organization', { subject: [attribute(ORGANIZATION, 'name')] }, 'name', false],
  ['a Common Name as PrintableString', { subject: [attribute(COMMON_NAME, 'name', 0x13)] }, 'name', true],
  ['a critical extension', { alternatives: [dnsName('name')], isCritical: true }, 'name', true],
  ['a certificate without version', { alternatives: [dnsName('name')], version: false }, 'name', true],
  ['no names at all', {}, 'name', false],
  [
    'empty names, for a torrent without one',
    { subject: [attribute(COMMON_NAME, '')], alternatives: [dnsName('')] },
    '',
    false,
  ],
])('%s', (_, parts, name, expected) => {
  expect(covers(parts, name)).toBe(expected)
})

test('a very long list of names is read', () => {
  const alternatives = Array.from({ length: 2000 }, (_, i) => dnsName(`torrent ${i}`))
  expect(covers({ alternatives }, 'torrent 1999')).toBe(true)
})

test('a certificate that is cut off, or has bytes behind, has no names', () => {
  const whole = certificate({ alternatives: [dnsName('*')] })
  for (let size = 0; size < whole.length; size++) expect(certificateNames(whole.subarray(0, size))).toBeNull()
})

test('no bytes make reading names throw', () => {
  const whole = certificate({ subject: [attribute(COMMON_NAME, 'x')], alternatives: [dnsName('*')] })
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void certificateNames(bytes)))
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
      const changed = whole.slice()
      changed[at] = value
      certificateNames(changed)
    }),
  )
})

test('a server name is the info-hash in small letters, and read in any', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (bytes) => {
      const name = serverNameOf(new Sha1Hash(bytes))
      expect(name).toMatch(/^[0-9a-f]{40}$/)
      expect(infoHashOfServerName(name)?.bytes).toEqual(bytes)
      expect(infoHashOfServerName(name.toUpperCase())?.bytes).toEqual(bytes)
    }),
  )
  for (const name of ['', 'example.org', 'a'.repeat(39), ` ${'a'.repeat(40)}`])
    expect(infoHashOfServerName(name)).toBeNull()
})
