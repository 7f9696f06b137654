import fc from 'fast-check'
import { expect, test } from 'vitest'
import { percentEncode } from '../../../src/tracker/trackerLocation.ts'
import { infoHash, TrackerScene } from '../../unit/trackerServer/scene.ts'

test('no request target makes it throw, and what it answers stays small', () => {
  const scene = new TrackerScene()
  scene.fill(300)
  const piece = fc.oneof(
    fc.constantFrom(
      '/announce?',
      '/scrape?',
      'info_hash=',
      'peer_id=',
      'port=',
      'numwant=',
      'compact=0',
      'ip=',
      '&',
      '%',
    ),
    fc.constantFrom('a'.repeat(20), '%41'.repeat(20), '%00', '%', '%%', '%f', '-1', '0', '99999999999999999999', '::1'),
    fc.string({ maxLength: 30, unit: 'binary' }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.boolean(), (pieces, v6) => {
      const { body } = scene.http.answer(pieces.join(''), v6 ? '2001:db8::1' : '9.0.0.1', scene.now)
      expect(body.length).toBeLessThan(20_000)
    }),
    { numRuns: 3000 },
  )
})

test('a scrape of thousands is answered for the first 74, and a URL of megabytes not at all', () => {
  const scene = new TrackerScene()
  scene.fill(200, (n) => ({ infoHash: infoHash(n) }))
  const hashes = (count: number) => Array.from({ length: count }, (_, n) => `info_hash=${percentEncode(infoHash(n))}`)
  const { files } = scene.get(`/scrape?${hashes(100).join('&')}`)
  expect(Object.keys(files as object)).toHaveLength(74)
  expect(scene.http.answer(`/scrape?${hashes(50_000).join('&')}`, '9.0.0.1', scene.now).status).toBe(414)
})

test('thousands of empty parameters cost nothing', () => {
  const scene = new TrackerScene()
  expect(scene.get(`/announce?${'&'.repeat(8000)}`)).toHaveProperty('failure reason')
  expect(scene.get(`/announce?${'a=b&'.repeat(2000)}info_hash=x`)).toHaveProperty('failure reason')
})

test.each(['-1', '-0', '-99999999', '99999999', '1e300', 'NaN', '0x10', ' 5', ''])(
  'numwant=%s gives a bounded list',
  (text) => {
    const scene = new TrackerScene({ maxNumWant: 20, defaultNumWant: 10 })
    scene.fill(100)
    const { peers } = scene.httpAnnounce({ extra: '', from: '9.0.0.1', numWant: text as unknown as number })
    expect(peers.length / 6).toBeLessThanOrEqual(20)
  },
)

test('names like __proto__ are parameters like others', () => {
  const scene = new TrackerScene()
  scene.get('/announce?__proto__=1&constructor=2&info_hash=x')
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  expect(scene.get('/announce?info_hash=__proto__')).toHaveProperty('failure reason')
})

test("a victim's address in ip= is not told to anybody", () => {
  const scene = new TrackerScene()
  for (const name of [
    'ip=7.7.7.7',
    'ipv4=7.7.7.7',
    'ipv6=2001:db8::7',
    'ip=victim.example',
    `ip=${'7'.repeat(5000)}`,
  ]) {
    scene.httpAnnounce({ from: '9.0.0.1', extra: name })
  }
  const { peers, peers6 } = scene.httpAnnounce({ from: '9.0.0.2', port: 1 })
  expect([...peers.subarray(0, 4)]).toEqual([9, 0, 0, 1])
  expect([peers.length, peers6]).toEqual([6, undefined])
})
