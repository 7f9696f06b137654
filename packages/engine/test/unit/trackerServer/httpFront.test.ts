import { expect, test } from 'vitest'
import { decodeAnnounceReply } from '../../../src/tracker/httpResponse.ts'
import { decodeScrapeReply } from '../../../src/tracker/httpScrape.ts'
import { percentEncode } from '../../../src/tracker/trackerLocation.ts'
import { INFO_HASH, PEER_ID } from '../tracker/requests.ts'
import { infoHash, peerId, TrackerScene } from './scene.ts'

const announceOf = (more: string) =>
  `/announce?info_hash=${percentEncode(INFO_HASH)}&peer_id=${percentEncode(PEER_ID)}&port=6881&left=1&${more}`

test('an announce is answered in the compact form (BEP 23), with peers6 for IPv6 (BEP 7)', () => {
  const scene = new TrackerScene({ interval: 900, minInterval: 100 })
  scene.udpAnnounce({ from: '9.0.0.2', port: 258, left: 0 })
  scene.udpAnnounce({ from: '2001:db8::1', port: 1, peerId: peerId(1) })
  const { body } = scene.http.answer(announceOf('compact=1'), '9.0.0.1', scene.now)
  expect(decodeAnnounceReply(body)).toMatchObject({
    kind: 'reply',
    interval: 900,
    minInterval: 100,
    complete: 1,
    incomplete: 2,
    downloaded: 0,
    externalAddress: '9.0.0.1',
    peers: [
      { address: '9.0.0.2', port: 258 },
      { address: '2001:db8::1', port: 1 },
    ],
  })
})

test('the long form (BEP 3) has peer ids unless no_peer_id', () => {
  const scene = new TrackerScene()
  scene.udpAnnounce({ from: '2001:db8::1', port: 1, peerId: peerId(5) })
  const text = new TextEncoder().encode('2001:db8::1')
  expect(scene.get(announceOf('compact=0')).peers).toEqual([{ ip: text, 'peer id': peerId(5), port: 1 }])
  expect(scene.get(announceOf('compact=0&no_peer_id=1')).peers).toEqual([{ ip: text, port: 1 }])
})

test("the requester's own family comes first, the other has what room is left", () => {
  const scene = new TrackerScene()
  scene.fill(30)
  for (let n = 1; n <= 30; n++) scene.udpAnnounce({ from: `2001:db8::${n}`, peerId: peerId(100 + n) })
  const counts = (from: string, numWant: number) => {
    const { peers, peers6 } = scene.httpAnnounce({ from, numWant, peerId: peerId(999) })
    return [peers.length / 6, ((peers6 as Uint8Array)?.length ?? 0) / 18]
  }
  expect(counts('9.0.0.1', 20)).toEqual([20, 0])
  expect(counts('9.0.0.1', 50)).toEqual([30, 20])
  expect(counts('2001:db8:1::1', 40)).toEqual([10, 30])
})

test('a peer from an IPv4-mapped address is an IPv4 peer', () => {
  const scene = new TrackerScene()
  scene.httpAnnounce({ from: '::ffff:9.0.0.2', port: 2, left: 0, extra: 'compact=1' })
  expect(scene.httpAnnounce({ from: '9.0.0.1' }).peers.join('.')).toBe('9.0.0.2.0.2')
})

test('a scrape tells of the torrents asked about that are known (BEP 48), and never of all', () => {
  const scene = new TrackerScene()
  scene.udpAnnounce({ from: '9.0.0.1', left: 0, event: 'completed' })
  scene.udpAnnounce({ from: '9.0.0.2' })
  const target = `/scrape?info_hash=${percentEncode(infoHash(9))}&info_hash=${percentEncode(INFO_HASH)}`
  const { body } = scene.http.answer(target, '9.0.0.3', scene.now)
  expect(decodeScrapeReply(body, INFO_HASH)).toMatchObject({ complete: 1, incomplete: 1, downloaded: 1 })
  expect(decodeScrapeReply(body, infoHash(9)).kind).toBe('failure')
  expect(scene.get('/scrape')).toHaveProperty('failure reason')
})

test.each([
  ['no info_hash', '/announce?peer_id=12345678901234567890&port=1', 'info_hash is missing or not 20 bytes long'],
  ['a short info_hash', '/announce?info_hash=%00%01&port=1', 'info_hash is missing or not 20 bytes long'],
  ['a long info_hash', `/announce?info_hash=${'a'.repeat(21)}`, 'info_hash is missing or not 20 bytes long'],
  ['broken escapes', `/announce?info_hash=${'a'.repeat(18)}%4`, 'info_hash is missing or not 20 bytes long'],
  ['escapes of no digits', `/announce?info_hash=${'a'.repeat(19)}%zz`, 'info_hash is missing or not 20 bytes long'],
  ['no byte', `/announce?info_hash=${'a'.repeat(19)}\u0100`, 'info_hash is missing or not 20 bytes long'],
  ['no peer_id', `/announce?info_hash=${'a'.repeat(20)}&port=1`, 'peer_id is missing or not 20 bytes long'],
  ['port 0', announceOf('').replace('port=6881', 'port=0'), 'nobody can connect to port 0'],
  ['a port too high', announceOf('').replace('port=6881', 'port=65536'), 'port is missing or not a port'],
  ['no port', announceOf('').replace('port=6881', 'port='), 'port is missing or not a port'],
  ['port 1e3', announceOf('').replace('port=6881', 'port=1e3'), 'port is missing or not a port'],
])('%s is refused in words', (_, target, reason) => {
  const scene = new TrackerScene()
  const answer = scene.get(target)
  expect(answer['failure reason']).toBe(reason)
  expect(scene.core.stats()).toMatchObject({ torrents: 0, refused: 1, announces: 0 })
})

test('info-hashes come in any mixture of raw and escaped bytes, with + for a space', () => {
  const scene = new TrackerScene()
  scene.get(`/announce?info_hash=${'%41'.repeat(9)}+${'b'.repeat(9)}%fF&peer_id=${'p'.repeat(20)}&port=7`)
  const hash = new TextEncoder().encode('AAAAAAAAA bbbbbbbbb\0')
  hash[19] = 0xff
  expect(scene.core.find(hash, 0)).not.toBeNull()
})

test('of a parameter that comes twice the first counts; numbers that make no sense are as if absent', () => {
  const scene = new TrackerScene({ defaultNumWant: 3 })
  scene.fill(10)
  const peersOf = (more: string) => scene.get(announceOf(more)).peers.length / 6
  expect(peersOf('numwant=2&numwant=9')).toBe(2)
  expect(['numwant=-5', 'numwant=x', 'numwant=1e9', `numwant=${'9'.repeat(400)}`].map(peersOf)).toEqual([3, 3, 3, 3])
  expect(peersOf('event=stopped')).toBe(0)
})

test('other paths are no tracker', () => {
  const scene = new TrackerScene()
  const status = (target: string) => scene.http.answer(target, '9.0.0.1', 0).status
  expect(['/', '/announce/x', '//announce', '/ANNOUNCE', ''].map(status)).toEqual([404, 404, 404, 404, 404])
  expect(status(`/announce?${'a'.repeat(9000)}`)).toBe(414)
})
