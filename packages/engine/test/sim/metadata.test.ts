import { expect } from 'vitest'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { bencode } from '../../src/bencode/bencode.ts'
import { sha1 } from '../../src/crypto/sha1.ts'
import { LibtorrentError } from '../../src/errors/libtorrentError.ts'
import { encodeUtMetadata } from '../../src/wire/utMetadataMessage.ts'
import { SAVE, SimClient, seedOf } from './client.ts'
import {
  metadataAnswers,
  metadataMessages,
  metadataPeer,
  metadataRequests,
  OUR_METADATA_ID,
  sendExtensionHandshake,
  sendMetadata,
  theirId,
} from './extensionPeer.ts'
import { scenario } from './scenario.ts'

const small = new TestTorrent({ size: 200_000 })
/** Its info section takes six pieces of metadata. */
const large = new TestTorrent({ size: 4500 * 16, pieceLength: 16 })

for (const dials of ['the magnet', 'the seed'] as const) {
  scenario(`a magnet gets metadata, then content; ${dials} side dials`, (world) => {
    const seed = new SimClient(world, 'seed', small, { has: 'all' })
    const magnet = new SimClient(world, 'magnet', small, { magnet: true })
    world.run({ seconds: 1 })
    if (dials === 'the magnet') magnet.torrent.connectPeer(seed.endpoint)
    else seed.torrent.connectPeer(magnet.endpoint)
    world.runUntil(() => magnet.torrent.isSeed, { minutes: 1 })
    expect(magnet.alerts('metadataReceived').length).toBe(1)
    expect(magnet.alerts('metadataFailed')).toEqual([])
    expect(small.isOn(world.filesOf(magnet.host), SAVE)).toBe(true)
    expect(world.time.elapsed).toBeLessThan(10_000)
  })
}

scenario(
  'metadata of many pieces is fetched from several peers at once, each piece once',
  (world) => {
    const magnet = new SimClient(world, 'magnet', large, { magnet: true })
    const seeds = [0, 1, 2].map((i) => metadataPeer(world, `seed${i}`, large))
    for (const seed of seeds) magnet.torrent.connectPeer(seed.listen())
    world.runUntil(() => magnet.torrent.hasMetadata, { seconds: 10 })
    const asked = seeds.map((seed) => metadataRequests(seed).length)
    expect(asked.every((count) => count > 0)).toBe(true)
    expect(asked.reduce((sum, count) => sum + count)).toBe(Math.ceil(large.infoSection.length / 16_384))
    world.runUntil(() => magnet.torrent.isSeed, { minutes: 5 })
  },
  { seeds: 2 },
)

scenario('the piece of a peer that left is asked of another at once, and what had come is kept', (world) => {
  const magnet = new SimClient(world, 'magnet', large, { magnet: true })
  let answered = 0
  const all = metadataPeer(world, 'model', large)
  const leaver = metadataPeer(world, 'leaver', large, {
    answers: (piece) =>
      ++answered <= 2
        ? {
            type: 'data',
            piece,
            totalSize: large.infoSection.length,
            data: large.infoSection.subarray(piece * 16_384, (piece + 1) * 16_384),
          }
        : null,
  })
  magnet.torrent.connectPeer(leaver.listen())
  world.run({ seconds: 2 })
  expect(answered).toBe(4)
  leaver.close()
  magnet.torrent.connectPeer(all.listen())
  world.runUntil(() => magnet.torrent.hasMetadata, { seconds: 5 })
  expect(metadataRequests(all).length).toBe(4)
})

scenario('whoever sends all of a wrong info section is put off, and the honest one is heard', (world) => {
  const magnet = new SimClient(world, 'magnet', small, { magnet: true })
  const liar = metadataPeer(world, 'liar', small, {
    answers: (piece) => ({
      type: 'data',
      piece,
      totalSize: small.infoSection.length,
      data: new Uint8Array(small.infoSection.length).fill(7),
    }),
  })
  magnet.torrent.connectPeer(liar.listen())
  world.run({ seconds: 5 })
  expect(magnet.alerts('metadataFailed').length).toBe(1)
  expect(magnet.endCodes).toEqual(['invalidMetadataMessage'])
  const honest = metadataPeer(world, 'honest', small)
  magnet.torrent.connectPeer(honest.listen())
  world.runUntil(() => magnet.torrent.isSeed, { seconds: 20 })
  expect(honest.connection.closed === undefined || magnet.endCodes.at(-1) === 'uploadUploadConnection').toBe(true)
})

scenario(
  'of a liar and honest peers that share the pieces only the liar is cast out',
  (world) => {
    const magnet = new SimClient(world, 'magnet', large, { magnet: true })
    const liar = metadataPeer(world, 'liar', large, {
      answers: (piece) => ({
        type: 'data',
        piece,
        totalSize: large.infoSection.length,
        data: large.infoSection.slice(piece * 16_384, (piece + 1) * 16_384).fill(7),
      }),
    })
    const honest = [0, 1, 2].map((i) => metadataPeer(world, `honest${i}`, large))
    for (const peer of [liar, ...honest]) magnet.torrent.connectPeer(peer.listen())
    world.runUntil(() => magnet.torrent.hasMetadata, { minutes: 5 })
    expect(magnet.endings.filter(({ address }) => address !== liar.host.address)).toEqual([])
    world.runUntil(() => magnet.torrent.isSeed, { minutes: 5 })
  },
  { seeds: 6 },
)

scenario('a peer that refuses is asked again after a minute or more, another one at once', (world) => {
  const magnet = new SimClient(world, 'magnet', small, { magnet: true })
  const refuser = metadataPeer(world, 'refuser', small, { answers: (piece) => ({ type: 'reject', piece }) })
  magnet.torrent.connectPeer(refuser.listen())
  for (let s = 50; s < 300; s += 50) world.time.after(s * 1000, () => refuser.connection.send((to) => to.keepAlive()))
  world.run({ seconds: 200 })
  const times = metadataRequests(refuser)
  expect(times.length).toBeGreaterThanOrEqual(3)
  expect(times.length).toBeLessThanOrEqual(4)
  for (let i = 1; i < times.length; i++) expect(times[i] - times[i - 1]).toBeGreaterThanOrEqual(59)
  const honest = metadataPeer(world, 'honest', small)
  magnet.torrent.connectPeer(honest.listen())
  world.runUntil(() => magnet.torrent.hasMetadata, { seconds: 3 })
})

scenario('wrong sizes are outvoted, and claims beyond the limit are never asked for', (world) => {
  const magnet = new SimClient(world, 'magnet', small, { magnet: true })
  const size = small.infoSection.length
  const wrong = [size + 5000, 31 * 1024 * 1024, 2 ** 31 - 1].map((claims, i) =>
    metadataPeer(world, `wrong${i}`, small, { claims, answers: () => null, serves: false }),
  )
  for (const peer of wrong) magnet.torrent.connectPeer(peer.listen())
  world.run({ seconds: 10 })
  expect(metadataRequests(wrong[1])).toEqual([])
  expect(metadataRequests(wrong[2])).toEqual([])
  for (let i = 0; i < 2; i++) magnet.torrent.connectPeer(metadataPeer(world, `honest${i}`, small).listen())
  world.runUntil(() => magnet.torrent.hasMetadata, { minutes: 2 })
})

scenario('a short piece of metadata is dropped and its sender left alone for a while', (world) => {
  const magnet = new SimClient(world, 'magnet', small, { magnet: true })
  const short = metadataPeer(world, 'short', small, {
    answers: (piece) => ({
      type: 'data',
      piece,
      totalSize: small.infoSection.length,
      data: small.infoSection.subarray(0, 10),
    }),
  })
  magnet.torrent.connectPeer(short.listen())
  world.run({ seconds: 30 })
  expect(metadataRequests(short).length).toBe(1)
  expect(magnet.endings).toEqual([])
  magnet.torrent.connectPeer(metadataPeer(world, 'honest', small).listen())
  world.runUntil(() => magnet.torrent.hasMetadata, { seconds: 3 })
})

scenario('a magnet in upload mode gets metadata and no content', (world) => {
  const seed = new SimClient(world, 'seed', small, { has: 'all' })
  const magnet = new SimClient(world, 'magnet', small, { magnet: true, add: { uploadMode: true } })
  world.run({ seconds: 1 })
  magnet.torrent.connectPeer(seed.endpoint)
  world.run({ seconds: 30 })
  expect(magnet.torrent.hasMetadata).toBe(true)
  expect(magnet.torrent.status().totalPayloadDownload).toBe(0)
})

scenario('a peer in upload mode still gives metadata', (world) => {
  const seed = new SimClient(world, 'seed', small, { has: 'all', add: { uploadMode: true } })
  const magnet = new SimClient(world, 'magnet', small, { magnet: true })
  world.run({ seconds: 1 })
  magnet.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => magnet.torrent.hasMetadata, { seconds: 10 })
})

scenario('the torrent is removed the moment its metadata arrives, and added again', async (world) => {
  const seed = new SimClient(world, 'seed', small, { has: 'all' })
  const magnet = new SimClient(world, 'magnet', small, { magnet: true })
  world.run({ seconds: 1 })
  magnet.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => magnet.torrent.hasMetadata, { seconds: 10 })
  const gone = magnet.session.removeTorrent(magnet.torrent)
  const again = magnet.session.addTorrent({ infoHash: small.infoHash, savePath: '/again', autoManaged: false })
  again.connectPeer(seed.endpoint)
  await world.settle(gone)
  world.runUntil(() => again.isSeed, { minutes: 3 })
  expect(small.isOn(world.filesOf(magnet.host), '/again')).toBe(true)
})

scenario('we serve each piece of metadata, and refuse pieces that do not exist', (world) => {
  const client = new SimClient(world, 'client', large, { has: 'none' })
  world.run({ seconds: 1 })
  const peer = metadataPeer(world, 'peer', large, { has: 'none', claims: 0 })
  const connection = peer.connect(client.endpoint)
  world.run({ seconds: 1 })
  const count = Math.ceil(large.infoSection.length / 16_384)
  for (const piece of [...Array(count).keys(), count, 2 ** 31 - 1, -1])
    sendMetadata(connection, { type: 'request', piece })
  world.run({ seconds: 5 })
  const answers = metadataMessages(connection).map(({ message }) => message)
  const data = answers.flatMap((answer) => (answer.type === 'data' ? [answer] : []))
  expect(Buffer.concat(data.map((answer) => answer.data))).toEqual(Buffer.from(large.infoSection))
  expect(new Set(data.map((answer) => answer.totalSize))).toEqual(new Set([large.infoSection.length]))
  expect(answers.flatMap((answer) => (answer.type === 'reject' ? [answer.piece] : []))).toEqual([
    count,
    2 ** 31 - 1,
    -1,
  ])
})

scenario('without metadata of our own every request for it is refused', (world) => {
  const magnet = new SimClient(world, 'magnet', large, { magnet: true })
  world.run({ seconds: 1 })
  const connection = metadataPeer(world, 'peer', large, { has: 'none', claims: 0, answers: () => null }).connect(
    magnet.endpoint,
  )
  world.run({ seconds: 1 })
  sendMetadata(connection, { type: 'request', piece: 0 })
  world.run({ seconds: 1 })
  expect(metadataMessages(connection).map(({ message }) => message.type)).toContain('reject')
})

scenario('what peers say they have while the files are still being looked at is not lost', (world) => {
  // A disk so slow that the check for files takes seconds.
  const magnet = new SimClient(world, 'magnet', small, { magnet: true, disk: { latency: 3000 } })
  const grower = metadataPeer(world, 'grower', small, { has: 'none' })
  magnet.torrent.connectPeer(grower.listen())
  world.runUntil(() => magnet.torrent.hasMetadata, { seconds: 10 })
  grower.connection.send((to) => {
    for (let piece = 0; piece < small.pieceCount; piece++) to.have(piece)
  })
  world.runUntil(() => magnet.torrent.isSeed, { minutes: 5 })
  expect(magnet.endCodes.filter((code) => code !== 'uploadUploadConnection')).toEqual([])
})

scenario('a have-all from before the metadata counts once it is known', (world) => {
  const magnet = new SimClient(world, 'magnet', small, { magnet: true })
  const silent = metadataPeer(world, 'silent', small, { claims: 0, answers: () => null })
  magnet.torrent.connectPeer(silent.listen())
  world.run({ seconds: 2 })
  magnet.torrent.connectPeer(metadataPeer(world, 'teller', small, { has: 'none' }).listen())
  world.runUntil(() => magnet.torrent.isSeed, { seconds: 30 })
})

/** What `call` throws, or null. */
function thrownBy(call: () => void): LibtorrentError | null {
  try {
    call()
  } catch (error) {
    if (error instanceof LibtorrentError) return error
    throw error
  }
  return null
}

scenario('metadata a user brings is as good as that of peers', (world) => {
  const seed = new SimClient(world, 'seed', small, { has: 'all' })
  const magnet = new SimClient(world, 'magnet', small, { magnet: true })
  expect(thrownBy(() => magnet.torrent.setMetadata(large.infoSection))).toMatchObject({ code: 'mismatchingInfoHash' })
  expect(magnet.torrent.status()).toMatchObject({ error: null, hasMetadata: false })
  magnet.torrent.setMetadata(small.infoSection)
  expect(magnet.torrent.hasMetadata).toBe(true)
  // Once known it stays what it is.
  magnet.torrent.setMetadata(large.infoSection)
  magnet.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => magnet.torrent.isSeed, { minutes: 1 })
})

const NO_TORRENTS: readonly { readonly what: string; readonly section: Uint8Array; readonly cause: string }[] = [
  { what: 'is not bencoded', section: Uint8Array.of(1, 2, 3), cause: 'invalidBencoding' },
  {
    what: 'lacks the pieces',
    section: bencode({ name: 'x', 'piece length': 16384, length: 1 }),
    cause: 'torrentMissingPieces',
  },
  {
    what: 'has a file of negative length',
    section: bencode({ name: 'x', 'piece length': 16384, pieces: new Uint8Array(20), length: -1 }),
    cause: 'torrentInvalidLength',
  },
]

for (const { what, section, cause } of NO_TORRENTS) {
  scenario(
    `metadata with the right hash that ${what} is an error that says so, and the torrent has failed`,
    (world) => {
      const magnet = new SimClient(world, 'magnet', small, { magnet: true, add: { infoHash: sha1(section) } })
      const error = thrownBy(() => magnet.torrent.setMetadata(section))
      expect(error).toMatchObject({ code: 'invalidSwarmMetadata', cause: { code: cause } })
      const reason = error?.cause as LibtorrentError | undefined
      expect(error?.message).toContain(reason?.message)
      expect(magnet.alerts('metadataFailed')).toMatchObject([{ error: { code: 'invalidSwarmMetadata' } }])
      expect(magnet.torrent.status()).toMatchObject({ hasMetadata: false, error: { code: 'invalidSwarmMetadata' } })
    },
  )
}

const several = new TestTorrent({
  files: [
    { path: 'a', size: 70_000 },
    { path: 'b', size: 70_000 },
    { path: 'c', size: 70_000 },
  ],
})

scenario('a magnet of which no file is selected gets its metadata and is finished, until a file is wanted', (world) => {
  const seed = seedOf(world, several)
  const magnet = new SimClient(world, 'magnet', several, { magnet: true, add: { selectOnly: [] } })
  magnet.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => magnet.torrent.hasMetadata, { seconds: 10 })
  world.run({ minutes: 5 })
  expect(magnet.torrent.status()).toMatchObject({ state: 'finished', totalPayloadDownload: 0, isSeeding: false })
  expect(magnet.torrent.filePriorities()).toEqual([0, 0, 0])
  expect(magnet.alerts('torrentFinished')).toHaveLength(1)
  expect(
    world
      .filesOf(magnet.host)
      .paths()
      .filter((path) => path.startsWith(SAVE)),
  ).toEqual([])
  magnet.torrent.filePriority(1, 4)
  magnet.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => magnet.torrent.isFinished, { minutes: 2 })
  expect(magnet.torrent.fileProgress()[1]).toBe(70_000)
  expect(magnet.torrent.isSeed).toBe(false)
})

scenario('priorities of files that are given before the metadata is known count when it is', (world) => {
  const seed = seedOf(world, several)
  const magnet = new SimClient(world, 'magnet', several, { magnet: true })
  magnet.torrent.filePriority(2, 0)
  expect(magnet.torrent.filePriorities()).toEqual([1, 1, 0])
  magnet.torrent.filePriority(0, 0)
  const other = new SimClient(world, 'other', several, { magnet: true })
  other.torrent.prioritizeFiles([0, 0, 0])
  for (const client of [magnet, other]) client.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => magnet.torrent.hasMetadata && other.torrent.hasMetadata, { minutes: 1 })
  world.runUntil(() => magnet.torrent.isFinished && other.torrent.isFinished, { minutes: 2 })
  expect(magnet.torrent.filePriorities()).toEqual([0, 1, 0])
  expect(magnet.torrent.fileProgress()[1]).toBe(70_000)
  expect(other.torrent.status()).toMatchObject({ state: 'finished', totalPayloadDownload: 0 })
})

scenario('what was deselected before the metadata was known is remembered over a restart', async (world) => {
  const seed = seedOf(world, several)
  const first = new SimClient(world, 'first', several, { magnet: true })
  first.torrent.prioritizeFiles([0, 0, 0])
  const resumeData = await world.settle(first.torrent.saveResumeData(), { minutes: 1 })
  const second = new SimClient(world, 'second', several, { magnet: true, add: { resumeData } })
  second.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => second.torrent.isFinished, { minutes: 1 })
  world.run({ minutes: 1 })
  expect(second.torrent.status()).toMatchObject({ state: 'finished', totalPayloadDownload: 0 })
})

scenario('thirty peers that claim thirty sizes, and two honest ones: the metadata arrives', (world) => {
  const magnet = new SimClient(world, 'magnet', small, { magnet: true })
  for (let i = 0; i < 30; i++) {
    const liar = metadataPeer(world, `liar${i}`, small, {
      claims: small.infoSection.length + 1 + i,
      answers: (piece) =>
        i % 2 === 0
          ? null
          : { type: 'data', piece, totalSize: small.infoSection.length + 1 + i, data: new Uint8Array(99) },
    })
    magnet.torrent.connectPeer(liar.listen())
  }
  const honest = [0, 1].map((i) => metadataPeer(world, `honest${i}`, small))
  for (const peer of honest) magnet.torrent.connectPeer(peer.listen())
  world.runUntil(() => magnet.torrent.hasMetadata, { minutes: 10 })
  expect(magnet.endings.filter(({ address }) => honest.some(({ host }) => host.address === address))).toEqual([])
})

scenario(
  'a liar that comes back at once is not heard again for five minutes, and keeps nobody from being heard',
  (world) => {
    const magnet = new SimClient(world, 'magnet', large, { magnet: true })
    const wrong = (piece: number) => ({
      type: 'data' as const,
      piece,
      totalSize: large.infoSection.length,
      data: large.infoSection.slice(piece * 16_384, (piece + 1) * 16_384).fill(7),
    })
    const liar = metadataPeer(world, 'liar', large, { answers: wrong })
    magnet.torrent.connectPeer(liar.listen())
    world.runUntil(() => magnet.endCodes.length > 0, { seconds: 30 })
    const asked = metadataRequests(liar).length
    for (let i = 0; i < 8; i++) {
      liar.connect(magnet.endpoint)
      world.run({ seconds: 30 })
    }
    expect(metadataRequests(liar).length).toBe(asked)
    magnet.torrent.connectPeer(metadataPeer(world, 'honest', large).listen())
    world.runUntil(() => magnet.torrent.hasMetadata, { seconds: 10 })
  },
)

scenario('the metadata of a private torrent is given to nobody, and not offered', (world) => {
  const hidden = new TestTorrent({ size: 200_000, private: true })
  const client = new SimClient(world, 'client', hidden)
  world.run({ seconds: 1 })
  const connection = metadataPeer(world, 'peer', hidden, { has: 'none', claims: 0, answers: () => null }).connect(
    client.endpoint,
  )
  world.run({ seconds: 1 })
  expect(theirId(connection, 'ut_metadata')).toBe(0)
  connection.send((to) => to.extended(2, encodeUtMetadata({ type: 'request', piece: 0 })))
  world.run({ seconds: 5 })
  expect(metadataMessages(connection).map(({ message }) => message.type)).toEqual(['reject'])
})

scenario('a peer that refuses has its requests further and further apart, until it has something', (world) => {
  const magnet = new SimClient(world, 'magnet', small, { magnet: true })
  let has = false
  const grower = metadataPeer(world, 'grower', small, {
    claims: 0,
    answers: (piece) => (has ? metadataAnswers(small)(piece) : { type: 'reject', piece }),
  })
  magnet.torrent.connectPeer(grower.listen())
  for (let s = 50; s < 600; s += 50) world.time.after(s * 1000, () => grower.connection.send((to) => to.keepAlive()))
  world.run({ minutes: 9 })
  const times = metadataRequests(grower)
  expect(times.map((time) => Math.round((time - times[0]) / 60))).toEqual([0, 1, 3, 7])
  has = true
  const messages = new Map([['ut_metadata', OUR_METADATA_ID]])
  sendExtensionHandshake(grower.connection, { messages, metadataSize: small.infoSection.length })
  world.runUntil(() => magnet.torrent.hasMetadata, { seconds: 3 })
})
