import { describe, expect, test } from 'vitest'
import { mutableTarget } from '../../../src/dht/mutableItem.ts'
import { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import { type MagnetParams, makeMagnetUri, parseMagnetUri, selectedFiles } from '../../../src/metainfo/magnet.ts'
import { TrackerSource } from '../../../src/metainfo/trackerUrl.ts'
import { toHex } from '../../../src/util/bytes.ts'
import { Sha1Hash } from '../../../src/util/digest.ts'
import { singleFileInfo, torrentOf } from './builders.ts'

const HEX = '0123456789abcdef0123456789abcdef01234567'
const BASE32 = 'AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH'
const HEX_V2 = HEX + '89abcdef'.repeat(3)

function parsed(uri: string): MagnetParams {
  const magnet = parseMagnetUri(uri)
  if (magnet instanceof LibtorrentError) throw magnet
  return magnet
}

const withHash = (rest: string) => parsed(`magnet:?xt=urn:btih:${HEX}&${rest}`)

function errorOf(uri: string): string {
  const magnet = parseMagnetUri(uri)
  return magnet instanceof LibtorrentError ? magnet.code : 'no error'
}

describe('BEP 9 magnet links', () => {
  test('the info-hash is read in hexadecimal and base32, in either case', () => {
    for (const text of [HEX, HEX.toUpperCase(), BASE32, BASE32.toLowerCase()]) {
      expect(parsed(`magnet:?xt=urn:btih:${text}`).infoHash?.toHex()).toBe(HEX)
    }
    expect(parsed(`magnet:?xt=urn%3Abtih%3A${HEX}`).infoHash?.toHex()).toBe(HEX)
    expect(parsed(`MAGNET:?XT=URN:BTIH:${HEX}`).infoHash?.toHex()).toBe(HEX)
    expect(parsed(`magnet:?xt.1=urn:btih:${HEX}`).infoHash?.toHex()).toBe(HEX)
  })

  test('a link with nothing else has empty parts and wants all files', () => {
    expect(parsed(`magnet:?xt=urn:btih:${HEX}`)).toEqual({
      infoHash: Sha1Hash.fromHex(HEX),
      infoHashV2: null,
      mutableTorrent: null,
      name: '',
      trackers: [],
      urlSeeds: [],
      peers: [],
      dhtNodes: [],
      selectOnly: null,
    })
  })

  test('the hash of a v2 torrent is recognised beside or without that of v1 (BEP 52)', () => {
    const hybrid = parsed(`magnet:?xt=urn:btih:${HEX}&xt=urn:btmh:1220${HEX_V2}`)
    expect([hybrid.infoHash?.toHex(), hybrid.infoHashV2?.toHex()]).toEqual([HEX, HEX_V2])
    expect(parsed(`magnet:?xt=urn:btmh:1220${HEX_V2}`).infoHash).toBeNull()
  })

  test('name, trackers and web seeds are unescaped', () => {
    const magnet = withHash('dn=%C3%A4+b%20c&tr=http%3A%2F%2Fa%2Fannounce&tr.5=udp://b:80&ws=http://c/my%20file')
    expect(magnet.name).toBe('ä b c')
    expect(magnet.trackers).toEqual([
      { url: 'http://a/announce', tier: 0, source: TrackerSource.magnetLink },
      { url: 'udp://b:80', tier: 1, source: TrackerSource.magnetLink },
    ])
    expect(magnet.urlSeeds).toEqual(['http://c/my%20file'])
  })

  test('the same tracker twice is one tracker', () => {
    expect(withHash('tr=http://a/&tr=http://a/').trackers.length).toBe(1)
  })

  test('peers and nodes are taken when they are addresses with a port', () => {
    const magnet = withHash(
      'x.pe=1.2.3.4:80&x.pe=[2001:DB8::1]:81&x.pe=%5B::1%5D:82&x.pe=host:80&x.pe=1.2.3.4:0&x.pe=1.2.3.4&dht=router.example:6881&dht=x',
    )
    expect(magnet.peers).toEqual([
      { address: '1.2.3.4', port: 80 },
      { address: '2001:db8::1', port: 81 },
      { address: '::1', port: 82 },
    ])
    expect(magnet.dhtNodes).toEqual([{ host: 'router.example', port: 6881 }])
  })

  test('broken escapes, empty parts and unknown parameters are passed over', () => {
    const magnet = withHash('&&dn=%zz&tr=%&=x&x&xl=5&kt=a&xs=http://169.254.169.254/&as=file:///etc/passwd&mt=x')
    expect(magnet).toEqual(parsed(`magnet:?xt=urn:btih:${HEX}`))
  })
})

describe('BEP 53 selection', () => {
  test('indices and ranges are sorted and merged', () => {
    expect(withHash('so=7,0,2,4,6-8,3').selectOnly).toEqual([
      { first: 0, last: 0 },
      { first: 2, last: 4 },
      { first: 6, last: 8 },
    ])
  })

  test('ranges that make no sense are passed over', () => {
    expect(withHash('so=1,5-3,-4,4-,-,,2').selectOnly).toEqual([{ first: 1, last: 2 }])
    expect(withHash('so=1,x').selectOnly).toEqual([])
  })

  test('tells for each file whether it is wanted', () => {
    expect(selectedFiles([{ first: 1, last: 2 }], 4)).toEqual([false, true, true, false])
    expect(selectedFiles(null, 2)).toEqual([true, true])
    expect(selectedFiles([{ first: 3, last: 2 ** 31 - 1 }], 4)).toEqual([false, false, false, true])
  })
})

describe('what is no magnet link', () => {
  test.each([
    ['http://a/', 'unsupportedUrlProtocol'],
    ['', 'unsupportedUrlProtocol'],
    ['magnet:?', 'missingInfoHashInUri'],
    ['magnet:?dn=x', 'missingInfoHashInUri'],
    ['magnet:?xt=urn:sha1:abc', 'missingInfoHashInUri'],
    ['magnet:?xt=urn:btih:', 'invalidInfoHash'],
    [`magnet:?xt=urn:btih:${HEX.slice(1)}`, 'invalidInfoHash'],
    [`magnet:?xt=urn:btih:${HEX.replace('a', 'x')}`, 'invalidInfoHash'],
    [`magnet:?xt=urn:btih:${BASE32.replace('A', '1')}`, 'invalidInfoHash'],
    [`magnet:?xt=urn:btmh:1221${HEX_V2}`, 'invalidInfoHash'],
    [`magnet:?xt=urn:btmh:1220${HEX}`, 'invalidInfoHash'],
  ])('%j gives %s', (uri, code) => {
    expect(errorOf(uri)).toBe(code)
  })
})

describe('makeMagnetUri', () => {
  test('writes a torrent with its name, trackers and web seeds', () => {
    const torrent = torrentOf(singleFileInfo({ name: "ä & 'b'" }), {
      announce: 'http://a/?x=1',
      'url-list': 'http://s/',
    })
    expect(makeMagnetUri(torrent)).toBe(
      `magnet:?xt=urn:btih:${torrent.infoHash}&dn=%C3%A4%20%26%20%27b%27&tr=http%3A%2F%2Fa%2F%3Fx%3D1&ws=http%3A%2F%2Fs%2F`,
    )
  })

  test('what was parsed can be written and parsed again', () => {
    const magnet = parsed(
      `magnet:?xt=urn:btih:${HEX}&xt=urn:btmh:1220${HEX_V2}&dn=a%26b&tr=http://a/&ws=http://b/&dht=r:1&x.pe=[::1]:2&so=1-3,7`,
    )
    expect(JSON.stringify(parsed(makeMagnetUri(magnet)))).toBe(JSON.stringify(magnet))
  })

  test('without a hash there is no link', () => {
    expect(makeMagnetUri({ infoHash: null, name: 'x' })).toBe('')
  })
})

describe('BEP 46 magnet links', () => {
  const KEY = '8543d3e6115f0f98c944077a4493dcd543e49c739fd998550a1f614ab36ed63e'
  const SALTED = `magnet:?xs=urn:btpk:${KEY}&s=6e`

  test.each([
    [`magnet:?xs=urn:btpk:${KEY}`, 'cc3f9d90b572172053626f9980ce261a850d050b'],
    [SALTED, '59ee7c2cb9b4f7eb1986ee2d18fd2fdb8a56554f'],
  ])('%s leads to the target of the test vectors', (uri, target) => {
    const { mutableTorrent, infoHash } = parsed(uri)
    expect(infoHash).toBeNull()
    expect(toHex(mutableTarget(mutableTorrent!.publicKey, mutableTorrent!.salt))).toBe(target)
    expect(makeMagnetUri(parsed(uri))).toBe(uri)
  })

  test('key and salt are read in either case and order, and beside an info-hash', () => {
    expect(parsed(`magnet:?S=6E&XS.1=URN:BTPK:${KEY.toUpperCase()}`)).toEqual(parsed(SALTED))
    expect(withHash(`xs=urn:btpk:${KEY}&s=6e`)).toEqual({
      ...parsed(SALTED),
      infoHash: Sha1Hash.fromHex(HEX),
    })
    expect(parsed(`magnet:?xs=http://a/b&xs=urn%3abtpk%3a${KEY}&s=6e&dn=x`)).toEqual({ ...parsed(SALTED), name: 'x' })
  })

  test.each([
    ['too short a key', `xs=urn:btpk:${KEY.slice(2)}`],
    ['too long a key', `xs=urn:btpk:${KEY}00`],
    ['a key that is not hexadecimal', `xs=urn:btpk:${'g'.repeat(64)}`],
    ['a salt that is not hexadecimal', `xs=urn:btpk:${KEY}&s=salt`],
    ['half a byte of salt', `xs=urn:btpk:${KEY}&s=6`],
    ['too long a salt', `xs=urn:btpk:${KEY}&s=${'6e'.repeat(65)}`],
    ['a salt without key', 's=6e'],
  ])('%s names no torrent, and does no harm beside an info-hash', (_, rest) => {
    expect(errorOf(`magnet:?${rest}`)).toBe('missingInfoHashInUri')
    expect(withHash(rest).mutableTorrent).toBeNull()
  })
})
