import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeUdpAnnounce, encodeUdpConnect, encodeUdpScrape, UdpAction } from '../../../src/tracker/udpMessages.ts'
import { SourceAddress } from '../../../src/trackerServer/sourceAddress.ts'
import { concatBytes, writeU32 } from '../../../src/util/bytes.ts'
import { INFO_HASH, request } from '../../unit/tracker/requests.ts'
import { infoHash, TrackerScene } from '../../unit/trackerServer/scene.ts'

const announceWith = (id: Uint8Array) => encodeUdpAnnounce(id, 7, request({ url: '', numWant: 200 }), '', '')

test('without a connection id of its address no packet is answered by more bytes than it has', () => {
  const scene = new TrackerScene()
  scene.fill(300)
  const stranger = '6.6.6.6'
  const before = scene.core.stats()
  const packet = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc
      .tuple(
        fc.uint8Array({ minLength: 8, maxLength: 8 }),
        fc.constantFrom(0, 1, 2, 3, 4),
        fc.uint8Array({ maxLength: 300 }),
      )
      .map(([id, action, rest]) => concatBytes(id, Uint8Array.of(0, 0, 0, action, 1, 2, 3, 4), rest)),
    fc.uint8Array({ maxLength: 100 }).map((rest) => concatBytes(encodeUdpConnect(9), rest)),
  )
  fc.assert(
    fc.property(packet, (bytes) => {
      expect((scene.packet(bytes, stranger) ?? []).length).toBeLessThanOrEqual(bytes.length)
    }),
    { numRuns: 2000 },
  )
  expect(scene.core.stats()).toMatchObject({ peers: before.peers, announces: before.announces, scrapes: 0 })
})

test("a connection id sent to another address, as a forger's would be, gets no answer", () => {
  const scene = new TrackerScene()
  scene.fill(100)
  const id = scene.connectionId('6.6.6.6')
  expect(scene.packet(announceWith(id), '6.6.6.7')).toBeNull()
  expect(scene.packet(encodeUdpScrape(id, 1, INFO_HASH), '6.6.6.7')).toBeNull()
  expect(scene.packet(announceWith(id), '6.6.6.6')).not.toBeNull()
})

test('connect requests from a million addresses leave nothing behind', () => {
  const scene = new TrackerScene()
  const connect = encodeUdpConnect(1)
  const { bytes } = scene.udp.query.source.parse('0.0.0.1')
  const heap = process.memoryUsage().heapUsed
  let answered = 0
  for (let n = 0; n < 1_000_000; n++) {
    writeU32(bytes, 0, n + 1)
    if (scene.udp.answer(connect, scene.now) === 16) answered++
  }
  expect(answered).toBe(1_000_000)
  expect(process.memoryUsage().heapUsed - heap).toBeLessThan(64 << 20)
  expect(scene.core.stats()).toMatchObject({ peers: 0, torrents: 0, connects: 1_000_000 })
}, 60_000)

test('no bytes after a good connection id make it throw or answer with more than one packet', () => {
  const scene = new TrackerScene()
  scene.fill(300)
  const from = '6.6.6.6'
  const id = scene.connectionId(from)
  const packet = fc
    .tuple(fc.constantFrom(...Object.values(UdpAction), 77), fc.uint8Array({ maxLength: 2000 }))
    .map(([action, rest]) => concatBytes(id, Uint8Array.of(0, 0, 0, action, 1, 2, 3, 4), rest))
  fc.assert(
    fc.property(packet, (bytes) => {
      expect((scene.packet(bytes, from) ?? []).length).toBeLessThanOrEqual(1232)
    }),
    { numRuns: 2000 },
  )
})

test('a scrape of thousands is answered for the first 74', () => {
  const scene = new TrackerScene()
  scene.fill(200, (n) => ({ infoHash: infoHash(n) }))
  const hashes = Array.from({ length: 3000 }, (_, n) => infoHash(n))
  const id = scene.connectionId()
  const answer = scene.packet(concatBytes(encodeUdpScrape(id, 1, hashes[0]), ...hashes.slice(1)))
  expect(answer?.length).toBe(8 + 74 * 12)
})

test('an announce cut short, from no address or to port 0 enters nobody', () => {
  const scene = new TrackerScene()
  const whole = announceWith(scene.connectionId())
  for (let length = 0; length < whole.length; length++) expect(scene.packet(whole.subarray(0, length))).toBeNull()
  expect(scene.packet(whole, 'nonsense')).toBeNull()
  expect(scene.udpAnnounce({ port: 0 })).toMatchObject({ kind: 'error', message: 'nobody can connect to port 0' })
  expect(scene.udpAnnounce({ from: '0.0.0.0' })).toMatchObject({ kind: 'error' })
  expect(scene.udpAnnounce({ from: '239.0.0.1' })).toMatchObject({ kind: 'error' })
  expect(scene.udpAnnounce({ from: 'ff02::1' })).toMatchObject({ kind: 'error' })
  expect(scene.core.stats().peers).toBe(0)
})

test('options behind an announce (BEP 41), whatever their length says, are skipped', () => {
  const scene = new TrackerScene()
  const whole = announceWith(scene.connectionId())
  for (const tail of [[2, 255, 1], [1, 1, 1], [0, 9, 9], [2, 3, 0x2f, 0x3f, 0x61, 0], [255]]) {
    expect(scene.packet(concatBytes(whole, Uint8Array.from(tail)))).not.toBeNull()
  }
})

test('one address that announces all its ports and torrents is held back, and takes room from nobody', () => {
  const scene = new TrackerScene({ requestsPerSecond: 10, requestBurst: 100 })
  scene.fill(50)
  for (let n = 0; n < 20_000; n++) scene.udpAnnounce({ from: '6.6.6.6', port: 1 + (n % 65_535), infoHash: infoHash(n) })
  const { peers, rateLimited } = scene.core.stats()
  expect(peers).toBe(50 + 100)
  expect(rateLimited).toBe(19_900)
})

test('texts that are no addresses are none', () => {
  const source = new SourceAddress()
  const odd = [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '1.2.3.',
    '.1.2.3',
    '1..2.3',
    '1.2.3.4a',
    '0001.2.3.4',
    ':',
    ':::',
    'x',
  ]
  for (const text of odd) expect([text, source.parse(text).length]).toEqual([text, 0])
  expect([...source.parse('::ffff:1.2.3.4').bytes.subarray(0, 4), source.length]).toEqual([1, 2, 3, 4, 4])
  expect(source.parse('fe80::1%eth0').length).toBe(16)
  fc.assert(
    fc.property(fc.ipV4(), (text) => {
      source.parse(text)
      expect([...source.bytes.subarray(0, source.length)].join('.')).toBe(text)
    }),
  )
})
