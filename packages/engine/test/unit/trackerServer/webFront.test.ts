import { expect, test } from 'vitest'
import { hashText, idText, offers, offerText, WebScene } from './webScene.ts'

test('who announces is told the interval and who is there, and is counted', () => {
  const scene = new WebScene({ webInterval: 90 })
  scene.member(1, { left: 0, event: 'started' })
  const second = scene.member(2, { event: 'started' })
  expect(second.heard).toEqual([
    { action: 'announce', info_hash: hashText(1), interval: 90, complete: 1, incomplete: 1 },
  ])
  expect(scene.front.stats()).toEqual({ webClients: 2, webPeers: 2, webSeeds: 1 })
  expect(scene.core.stats()).toMatchObject({ announces: 2, webAnnounces: 2, peers: 0 })
})

test('an offer goes to another peer of the torrent, and the answer comes back to who made it', () => {
  const scene = new WebScene()
  const first = scene.member(1)
  const stranger = scene.member(3, { info_hash: hashText(2) })
  const second = scene.user(2)
  second.announces({ numwant: 5, offers: offers(5) })
  expect(first.all('offer')).toEqual([
    {
      action: 'announce',
      info_hash: hashText(1),
      peer_id: idText(2),
      offer_id: offerText(1),
      offer: { type: 'offer', sdp: 'sdp 1' },
    },
  ])
  first.answers(first.all('offer')[0])
  expect(second.all('answer')).toEqual([
    {
      action: 'announce',
      info_hash: hashText(1),
      peer_id: idText(1),
      offer_id: offerText(1),
      answer: { type: 'answer', sdp: 'answering' },
    },
  ])
  expect(stranger.heard).toHaveLength(1)
  expect(scene.core.stats()).toMatchObject({ offers: 1, answers: 1, ignored: 0 })
})

test('each offer goes to another one, all are chosen alike, and seeds are not offered to seeds', () => {
  const scene = new WebScene()
  const peers = Array.from({ length: 20 }, (_, i) => scene.member(i + 1, { left: i < 10 ? 0 : 1 }))
  const asker = scene.user(100)
  for (let round = 0; round < 200; round++) {
    asker.announces({ offers: offers(5, round * 5) })
    scene.pass(1)
  }
  const counts = peers.map((peer) => peer.all('offer').length)
  expect(Math.min(...counts)).toBeGreaterThan(25)
  expect(Math.max(...counts)).toBeLessThan(80)
  const seed = scene.user(101)
  seed.announces({ left: 0, offers: offers(50, 5000) })
  expect(peers.map((peer) => peer.all('offer').some(({ peer_id }) => peer_id === idText(101)))).toEqual(
    peers.map((_, i) => i >= 10),
  )
})

test('who has finished is a seed, and counts as a download; who stops, or is gone, is no more', () => {
  const scene = new WebScene()
  const first = scene.member(1)
  const second = scene.member(2)
  first.announces({ left: 0, event: 'completed' })
  second.says({ action: 'scrape', info_hash: hashText(1) })
  expect(second.all('files')[0]).toMatchObject({
    action: 'scrape',
    files: { [hashText(1)]: { complete: 1, incomplete: 1, downloaded: 1 } },
  })
  first.announces({ event: 'stopped' })
  expect(scene.front.stats()).toMatchObject({ webClients: 2, webPeers: 1, webSeeds: 0 })
  second.close()
  expect(scene.front.stats()).toMatchObject({ webClients: 1, webPeers: 0 })
})

test('who is silent for two intervals is forgotten, and so is its connection', () => {
  const scene = new WebScene({ webInterval: 100 })
  const silent = scene.member(1)
  const active = scene.member(2)
  scene.pass(200)
  active.announces()
  scene.pass(60)
  expect([silent.isClosed, active.isClosed]).toEqual([true, false])
  expect(scene.front.stats()).toMatchObject({ webClients: 1, webPeers: 1 })
})

test('who is in no torrent may stay for a minute', () => {
  const scene = new WebScene()
  const idle = scene.user(1)
  scene.pass(59)
  expect(idle.isClosed).toBe(false)
  scene.pass(1)
  expect(idle.isClosed).toBe(true)
})

test('a peer that comes back by another connection takes its place', () => {
  const scene = new WebScene()
  scene.member(1)
  const again = scene.user(1)
  again.announces()
  scene.member(2, { offers: offers(3) })
  expect(again.all('offer')).toHaveLength(1)
  expect(scene.front.stats()).toMatchObject({ webPeers: 2 })
})

test('torrents that are not served are refused in words', () => {
  const scene = new WebScene()
  scene.core.allowed = new Set()
  const user = scene.member(1)
  expect(user.heard).toEqual([
    { action: 'announce', info_hash: hashText(1), 'failure reason': 'this torrent is not served here' },
  ])
  expect(scene.core.stats()).toMatchObject({ refused: 1, announces: 0 })
})
