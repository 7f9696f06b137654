import { expect, test } from 'vitest'
import { MAX_SDP_LENGTH } from '../../../src/trackerServer/webRequest.ts'
import { hashText, idText, offers, offerText, WebScene } from '../../unit/trackerServer/webScene.ts'

const garbage = [
  '',
  '{',
  'null',
  '[]',
  '{"action":"announce"}',
  '{"action":"scrape"}',
  '{"action":"scrape","info_hash":[1,{},"x"]}',
  '{"action":"__proto__","__proto__":{"action":"announce"}}',
  JSON.stringify({ action: 'announce', info_hash: 'x'.repeat(20), peer_id: '\u0100'.repeat(20) }),
  JSON.stringify({ action: 'announce', info_hash: 'x'.repeat(20), peer_id: 'y'.repeat(20), answer: null }),
]

test('what is no request is answered with words at most, and twenty in a row are the end', () => {
  for (const text of garbage) {
    const scene = new WebScene()
    const user = scene.user(1)
    for (let i = 0; i < 19; i++) user.says(text)
    expect(user.isClosed).toBe(false)
    for (const message of user.heard) expect(message).toHaveProperty('failure reason')
    user.says(text)
    expect(user.isClosed).toBe(true)
    expect(scene.front.stats()).toEqual({ webClients: 0, webPeers: 0, webSeeds: 0 })
  }
})

test.each([
  ['none', undefined],
  ['no list', { length: 3 }],
  ['no objects', [1, null, 'x', []]],
  ['without a description', [{ offer_id: offerText(1) }]],
  ['of the wrong type', [{ offer_id: offerText(1), offer: { type: 'answer', sdp: 'x' } }]],
  ['with an id that is too short', [{ offer_id: 'x', offer: { type: 'offer', sdp: 'x' } }]],
  [
    'with a description that is too long',
    [{ offer_id: offerText(1), offer: { type: 'offer', sdp: 'x'.repeat(MAX_SDP_LENGTH + 1) } }],
  ],
])('offers that are %s are not passed on, and the announce counts', (_, wrong) => {
  const scene = new WebScene()
  const other = scene.member(1)
  const user = scene.user(2)
  user.announces({ offers: wrong })
  expect(user.all('interval')).toHaveLength(1)
  expect(other.all('offer')).toEqual([])
})

test('of a description nothing is passed on but the description', () => {
  const scene = new WebScene()
  const other = scene.member(1)
  const [offer] = offers(1)
  scene.member(2, { offers: [{ ...offer, junk: 'x', offer: { ...offer.offer, more: 'y'.repeat(10_000) } }], junk: 'z' })
  expect(JSON.stringify(other.all('offer')[0]).length).toBeLessThan(300)
})

test('a thousand offers are fifty, and nobody gets two of them', () => {
  const scene = new WebScene()
  const peers = Array.from({ length: 100 }, (_, i) => scene.member(i + 1))
  scene.member(1000, { numwant: 1000, offers: offers(1000) })
  expect(scene.core.stats().offers).toBe(50)
  expect(Math.max(...peers.map((peer) => peer.all('offer').length))).toBe(1)
})

test('one client passes on so many offers and no more, however often it announces; nobody is flooded', () => {
  const scene = new WebScene()
  const victim = scene.member(1)
  const attacker = scene.user(2)
  for (let i = 0; i < 1000; i++) attacker.announces({ offers: offers(50, i * 50) })
  expect(victim.all('offer')).toHaveLength(100)
  for (let n = 3; n < 103; n++) scene.member(n)
  for (let i = 0; i < 1000; i++) attacker.announces({ offers: offers(50, i * 50) })
  expect(scene.core.stats().offers).toBeLessThanOrEqual(500)
})

test('an answer without an offer, a second one, or one in another name goes nowhere', () => {
  const scene = new WebScene()
  const first = scene.member(1)
  const second = scene.member(2, { offers: offers(1) })
  const outsider = scene.member(3, { info_hash: hashText(2) })
  const [offer] = first.all('offer')
  outsider.answers(offer)
  outsider.answers(offer, { peer_id: idText(1) })
  first.answers(offer, { offer_id: offerText(99) })
  first.answers(offer, { peer_id: idText(7) })
  expect(second.all('answer')).toEqual([])
  first.answers(offer)
  first.answers(offer)
  expect(second.all('answer')).toHaveLength(1)
  expect(scene.core.stats()).toMatchObject({ answers: 1, ignored: 5 })
})

test('nobody takes the place of a peer by calling itself the same, before that one is silent', () => {
  const scene = new WebScene({ webInterval: 100 })
  const victim = scene.member(1)
  const thief = scene.user(1, '66.6.6.6')
  thief.announces()
  expect(thief.heard).toEqual([expect.objectContaining({ 'failure reason': 'this peer_id is taken' })])
  scene.member(2, { offers: offers(3) })
  expect([victim.all('offer').length, thief.all('offer').length]).toEqual([1, 0])
  scene.pass(200)
  const heir = scene.user(1, '66.6.6.6')
  heir.announces()
  expect(heir.all('interval')).toHaveLength(1)
})

test('one connection is in a thousand torrents at most, with one peer in each', () => {
  const scene = new WebScene()
  const user = scene.user(1)
  for (let n = 0; n < 1100; n++) user.announces({ info_hash: hashText(n) })
  for (let n = 0; n < 1000; n++) user.announces({ peer_id: idText(n) })
  expect(scene.front.stats()).toMatchObject({ webPeers: 1000 })
  expect(user.all('failure reason')).toHaveLength(100)
  user.close()
  expect(scene.front.stats()).toEqual({ webClients: 0, webPeers: 0, webSeeds: 0 })
})

test('a torrent that is full lets others in by chance, and does not grow', () => {
  const scene = new WebScene({ maxPeersPerTorrent: 10 })
  for (let n = 0; n < 100; n++) scene.member(n)
  expect(scene.front.stats()).toMatchObject({ webPeers: 10 })
})

test('one address asks so often and no more', () => {
  const scene = new WebScene({ requestsPerSecond: 1, requestBurst: 10 })
  const user = scene.user(1)
  for (let i = 0; i < 50; i++) user.announces()
  expect(user.all('interval')).toHaveLength(10)
  expect(scene.core.stats()).toMatchObject({ announces: 10, rateLimited: 40 })
  // WebTorrent gives up its connection when it is not told what a failure is about.
  expect(user.all('failure reason')[0]).toMatchObject({ action: 'announce', info_hash: hashText(1) })
})

test('a torrent that is announced no more is forgotten, however much else its client has to say', () => {
  const scene = new WebScene({ webInterval: 100 })
  const user = scene.member(1, { info_hash: hashText(1) })
  for (let i = 0; i < 10; i++) {
    user.announces({ info_hash: hashText(2) })
    scene.pass(30)
  }
  expect(user.isClosed).toBe(false)
  expect(scene.front.stats()).toMatchObject({ webClients: 1, webPeers: 1 })
})

test('of the offers a client does not answer two hundred are remembered, over all its torrents', () => {
  const scene = new WebScene()
  const user = scene.user(1)
  const other = scene.user(2)
  for (let n = 1; n <= 300; n++) {
    user.announces({ info_hash: hashText(n) })
    other.announces({ info_hash: hashText(n), offers: offers(1, n) })
    scene.pass(1)
    user.announces({ info_hash: hashText(n), left: 0 })
  }
  const all = user.all('offer')
  expect(all).toHaveLength(300)
  for (const offer of all) user.answers(offer)
  expect(other.all('answer')).toHaveLength(200)
})

test('who does not take what it is sent is left', () => {
  const scene = new WebScene()
  const lazy = scene.member(1)
  lazy.unsentBytes = 2_000_000
  scene.member(2, { offers: offers(1) })
  expect(lazy.isClosed).toBe(true)
  expect(scene.front.stats()).toMatchObject({ webClients: 1, webPeers: 1 })
})
