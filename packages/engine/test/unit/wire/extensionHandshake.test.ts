import { describe, expect, test } from 'vitest'
import { fromLatin1, latin1 } from '../../../src/util/bytes.ts'
import { decodeDontHave, encodeDontHave } from '../../../src/wire/dontHave.ts'
import {
  decodeExtensionHandshake,
  type ExtensionHandshake,
  encodeExtensionHandshake,
} from '../../../src/wire/extensionHandshake.ts'
import { decodeUploadOnly, encodeUploadOnly } from '../../../src/wire/uploadOnly.ts'

function decode(text: string): ExtensionHandshake {
  const handshake = decodeExtensionHandshake(fromLatin1(text))
  if (handshake === null) throw new Error('not a handshake')
  return handshake
}

describe('extension handshake', () => {
  test('BEP 10: the example dictionary', () => {
    const handshake = decode('d1:md11:LT_metadatai1e6:ut_pexi2ee1:pi6881e1:v13:\xc2\xb5Torrent 1.2e')
    expect(handshake.messages).toEqual(
      new Map([
        ['LT_metadata', 1],
        ['ut_pex', 2],
      ]),
    )
    expect(handshake).toMatchObject({ listenPort: 6881, client: 'µTorrent 1.2' })
  })

  test('everything said survives the wire, and nothing else is said', () => {
    const said: ExtensionHandshake = {
      messages: new Map([
        ['lt_donthave', 7],
        ['ut_metadata', 2],
      ]),
      client: 'libtorrent-ts',
      listenPort: 6881,
      yourAddress: '1.2.3.4',
      ipv4: '5.6.7.8',
      ipv6: '2001:db8::1',
      maxRequests: 2000,
      metadataSize: 31_235,
      isUploadOnly: true,
      completeAgo: 0,
    }
    expect(decodeExtensionHandshake(encodeExtensionHandshake(said))).toEqual(said)
    expect(latin1(encodeExtensionHandshake({ messages: new Map() }))).toBe('d1:mdee')
  })

  test('an address as seen over IPv6 that is an IPv4 one is told as such', () => {
    expect(decode('d6:yourip16:\0\0\0\0\0\0\0\0\0\0\xff\xff\x01\x02\x03\x04e').yourAddress).toBe('1.2.3.4')
  })

  test('BEP 21: upload_only is true for any number but 0, and unknown when not said', () => {
    expect(decode('d11:upload_onlyi1ee').isUploadOnly).toBe(true)
    expect(decode('d11:upload_onlyi0ee').isUploadOnly).toBe(false)
    expect(decode('de').isUploadOnly).toBeUndefined()
  })

  test('id 0 is kept: it turns an extension off', () => {
    expect(decode('d1:md6:ut_pexi0eee').messages).toEqual(new Map([['ut_pex', 0]]))
  })
})

describe('lt_donthave and upload_only', () => {
  test('BEP 54: four bytes of piece index', () => {
    expect(encodeDontHave(258)).toEqual(Uint8Array.of(0, 0, 1, 2))
    expect(decodeDontHave(Uint8Array.of(0xff, 0xff, 0xff, 0xff))).toBe(0xffffffff)
    for (const size of [0, 3, 5]) expect(decodeDontHave(new Uint8Array(size))).toBeNull()
  })

  test('upload_only is one byte', () => {
    for (const value of [true, false]) expect(decodeUploadOnly(encodeUploadOnly(value))).toBe(value)
    for (const size of [0, 2]) expect(decodeUploadOnly(new Uint8Array(size))).toBeNull()
  })
})
