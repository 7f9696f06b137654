import { expect } from 'vitest'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { encodeLtMetadata } from '../../src/wire/ltMetadataMessage.ts'
import { SAVE, SimClient } from './client.ts'
import {
  ltMetadataAnswers,
  ltMetadataMessages,
  ltMetadataPeer,
  metadataPeer,
  metadataRequests,
  sendLtMetadata,
} from './extensionPeer.ts'
import { scenario } from './scenario.ts'

const small = new TestTorrent({ size: 200_000 })
/** Its info section takes six pieces of metadata. */
const large = new TestTorrent({ size: 4500 * 16, pieceLength: 16 })
const hidden = new TestTorrent({ size: 200_000, private: true })

for (const torrent of [small, large]) {
  scenario(
    `a magnet gets ${torrent.infoSection.length} bytes of metadata from a peer of old, then content`,
    (world) => {
      const magnet = new SimClient(world, 'magnet', torrent, { magnet: true })
      magnet.torrent.connectPeer(ltMetadataPeer(world, 'old', torrent).listen())
      world.runUntil(() => magnet.torrent.isSeed, { minutes: 5 })
      expect(magnet.alerts('metadataReceived')).toHaveLength(1)
      expect(magnet.alerts('metadataFailed')).toEqual([])
      expect(torrent.isOn(world.filesOf(magnet.host), SAVE)).toBe(true)
    },
  )
}

scenario('a peer of old is asked for one thing at a time, first for the size', (world) => {
  const magnet = new SimClient(world, 'magnet', large, { magnet: true })
  const answers = ltMetadataAnswers(large)
  let asked = 0
  let answered = 0
  const old = ltMetadataPeer(world, 'old', large, {
    answers: (units) => {
      expect(++asked - answered).toBe(1)
      if (asked === 1) expect(units).toMatchObject({ start: 0, count: 1 })
      answered++
      return answers(units)
    },
  })
  magnet.torrent.connectPeer(old.listen())
  world.runUntil(() => magnet.torrent.hasMetadata, { seconds: 10 })
  expect(asked).toBe(1 + Math.ceil(large.infoSection.length / 16_384))
})

scenario('metadata comes from peers that speak either extension at the same time', (world) => {
  const magnet = new SimClient(world, 'magnet', large, { magnet: true })
  const old = [0, 1].map((i) => ltMetadataPeer(world, `old${i}`, large))
  const recent = metadataPeer(world, 'recent', large)
  for (const peer of [...old, recent]) magnet.torrent.connectPeer(peer.listen())
  world.runUntil(() => magnet.torrent.hasMetadata, { seconds: 20 })
  expect(metadataRequests(recent).length).toBeGreaterThan(0)
  for (const peer of old) expect(ltMetadataMessages(peer).length).toBeGreaterThan(0)
})

scenario('of a liar of old and honest peers only the liar is cast out, and coming back does not help it', (world) => {
  const magnet = new SimClient(world, 'magnet', large, { magnet: true })
  const truth = ltMetadataAnswers(large)
  const liar = ltMetadataPeer(world, 'liar', large, {
    answers: (units) => {
      const answer = truth(units)
      return answer.type === 'data' ? { ...answer, data: answer.data.slice().fill(7) } : answer
    },
  })
  magnet.torrent.connectPeer(liar.listen())
  world.run({ seconds: 20 })
  expect(magnet.endCodes).toEqual(['invalidMetadataMessage'])
  expect(magnet.alerts('metadataFailed').map(({ error }) => error.code)).toEqual(['mismatchingInfoHash'])
  const before = ltMetadataMessages(liar).length
  liar.connect(magnet.endpoint)
  world.run({ minutes: 4 })
  expect(ltMetadataMessages(liar).length).toBe(before)
  const honest = ltMetadataPeer(world, 'honest', large)
  magnet.torrent.connectPeer(honest.listen())
  world.runUntil(() => magnet.torrent.hasMetadata, { minutes: 2 })
  expect(magnet.endings.filter(({ address }) => address === honest.host.address)).toEqual([])
})

scenario('a peer of old that has no metadata is asked again after one minute, two and four', (world) => {
  const magnet = new SimClient(world, 'magnet', small, { magnet: true })
  const poor = ltMetadataPeer(world, 'poor', small, { answers: () => ({ type: 'dontHave' }) })
  magnet.torrent.connectPeer(poor.listen())
  for (let s = 50; s < 900; s += 50) world.time.after(s * 1000, () => poor.connection.send((to) => to.keepAlive()))
  world.run({ minutes: 14 })
  const times = ltMetadataMessages(poor).map(({ time }) =>
    Math.round((time - ltMetadataMessages(poor)[0].time) / 60_000),
  )
  expect(times).toEqual([0, 1, 3, 7, 11])
})

scenario('a peer of old whose answers are of another place is asked no more than once in a while', (world) => {
  const magnet = new SimClient(world, 'magnet', small, { magnet: true })
  const odd = ltMetadataPeer(world, 'odd', small, {
    answers: () => ({ type: 'data', totalSize: 1000, offset: 500, data: new Uint8Array(77) }),
  })
  magnet.torrent.connectPeer(odd.listen())
  world.run({ seconds: 70 })
  expect(ltMetadataMessages(odd).length).toBeLessThanOrEqual(2)
  magnet.torrent.connectPeer(metadataPeer(world, 'honest', small).listen())
  world.runUntil(() => magnet.torrent.hasMetadata, { seconds: 10 })
})

for (const [what, payload, code] of [
  ['is of no type there is', Uint8Array.of(3), 'invalidMetadataMessage'],
  ['is empty', new Uint8Array(0), 'invalidMetadataMessage'],
  ['says 2 GB', Uint8Array.of(1, 0x7f, 255, 255, 255, 0, 0, 0, 0, 1), 'metadataTooLarge'],
  ['says a negative size', Uint8Array.of(1, 255, 255, 255, 255, 0, 0, 0, 0, 1), 'invalidMetadataSize'],
  ['says no size', Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0), 'invalidMetadataSize'],
  ['begins behind the end', Uint8Array.of(1, 0, 0, 0, 9, 0, 0, 0, 10), 'invalidMetadataOffset'],
  ['reaches over the end', Uint8Array.of(1, 0, 0, 0, 9, 0, 0, 0, 9, 1), 'invalidMetadataMessage'],
  ['asks for more than there is', Uint8Array.of(0, 255, 1), 'invalidMetadataRequest'],
  ['is half a request', Uint8Array.of(0, 1), 'invalidMetadataRequest'],
  ['is longer than any', new Uint8Array(500 * 1024 + 1), 'metadataTooLarge'],
] as const) {
  scenario(
    `an LT_metadata message that ${what} ends the connection`,
    (world) => {
      const magnet = new SimClient(world, 'magnet', small, { magnet: true })
      magnet.torrent.connectPeer(ltMetadataPeer(world, 'odd', small, { payloads: () => payload }).listen())
      world.run({ seconds: 5 })
      expect(magnet.endCodes).toEqual([code])
      magnet.torrent.connectPeer(metadataPeer(world, 'honest', small).listen())
      world.runUntil(() => magnet.torrent.hasMetadata, { seconds: 10 })
    },
    { seeds: 1 },
  )
}

scenario('we give old peers what they ask for, in the bytes libtorrent would send', (world) => {
  const client = new SimClient(world, 'client', large)
  world.run({ seconds: 1 })
  const old = ltMetadataPeer(world, 'old', large, { has: 'none' })
  const connection = old.connect(client.endpoint)
  world.run({ seconds: 1 })
  const quarters = [0, 64, 128, 192].map((start) => ({ start, count: 64 }))
  for (const units of quarters) sendLtMetadata(connection, encodeLtMetadata({ type: 'request', ...units }))
  world.run({ seconds: 5 })
  expect(ltMetadataMessages(old).map(({ message }) => message)).toEqual(quarters.map(ltMetadataAnswers(large)))
})

scenario(
  'whoever asks a thousand times for everything and reads nothing takes no memory',
  (world) => {
    const client = new SimClient(world, 'client', large)
    world.run({ seconds: 1 })
    const old = ltMetadataPeer(world, 'old', large, { has: 'none', down: 20_000 })
    const connection = old.connect(client.endpoint)
    world.run({ seconds: 1 })
    for (let i = 0; i < 1000; i++) {
      sendLtMetadata(connection, encodeLtMetadata({ type: 'request', start: 0, count: 256 }))
    }
    world.run({ seconds: 10 })
    const answers = ltMetadataMessages(old).map(({ message }) => message)
    // Two fill the buffer, one waits, and the rest is refused.
    expect(answers.filter(({ type }) => type === 'data').length).toBeLessThan(10)
  },
  { seeds: 1 },
)

for (const [what, torrent, magnet] of [
  ['one who has no metadata', small, true],
  ['one whose torrent is private', hidden, false],
] as const) {
  scenario(`${what} gives none to old peers`, (world) => {
    const client = new SimClient(world, 'client', torrent, { magnet })
    world.run({ seconds: 1 })
    const old = ltMetadataPeer(world, 'old', torrent, { has: 'none', answers: () => null })
    const connection = old.connect(client.endpoint)
    world.run({ seconds: 1 })
    // The number we always have for it, whether it is offered or not.
    connection.send((to) => to.extended(14, encodeLtMetadata({ type: 'request', start: 0, count: 1 })))
    world.run({ seconds: 5 })
    expect(ltMetadataMessages(old).filter(({ message }) => message.type === 'data')).toEqual([])
    expect(ltMetadataMessages(old).filter(({ message }) => message.type === 'dontHave')).toHaveLength(1)
  })
}
