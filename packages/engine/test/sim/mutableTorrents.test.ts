import { expect } from 'vitest'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { ed25519CreateKeypair } from '../../src/crypto/ed25519.ts'
import { makeMagnetUri } from '../../src/metainfo/magnet.ts'
import { SAVE, SimClient } from './client.ts'
import { dhtOf } from './dhtOf.ts'
import { scenario } from './scenario.ts'

const first = new TestTorrent({ size: 200_000 })
const second = new TestTorrent({ size: 300_000 })
const keys = ed25519CreateKeypair(new Uint8Array(32).fill(7))
const salt = new TextEncoder().encode('news')
const mutableTorrent = { publicKey: keys.publicKey, salt }
const url = makeMagnetUri({ infoHash: null, mutableTorrent })

scenario(
  'a link with the key of a publisher gives what was published, and the next version is told (BEP 46)',
  async (world) => {
    const { settings, sessions } = dhtOf(world, 15)
    const publisher = sessions[2]
    new SimClient(world, 'seed', first, { has: 'all', settings })
    expect(await world.settle(publisher.dhtPutTorrent(keys, first.infoHash, salt))).toMatchObject({ seq: 1 })

    const leech = new SimClient(world, 'leech', second, { settings, add: { paused: true } })
    const handle = await world.settle(leech.session.asyncAddTorrent({ url, savePath: '/new' }))
    expect(handle.infoHash.equals(first.infoHash)).toBe(true)
    world.runUntil(() => handle.isSeed, { minutes: 5 })
    expect(first.isOn(world.filesOf(leech.host), '/new')).toBe(true)
    // The same version again is none.
    expect(await world.settle(publisher.dhtPutTorrent(keys, first.infoHash, salt))).toMatchObject({ seq: 2 })
    world.run({ minutes: 20 })
    expect(leech.alerts('torrentUpdate')).toEqual([])

    expect(await world.settle(publisher.dhtPutTorrent(keys, second.infoHash, salt))).toMatchObject({ seq: 3 })
    world.run({ hours: 1 })
    const updates = leech.alerts('torrentUpdate')
    expect(updates.map(({ oldIh, newIh }) => `${oldIh} ${newIh}`)).toEqual([`${first.infoHash} ${second.infoHash}`])
    expect(updates[0].handle).toBe(handle)
  },
)

scenario(
  'who follows a torrent keeps its item alive after everybody has forgotten it',
  async (world) => {
    const lifetime = { dhtItemLifetime: 2 * 3600, dhtAnnounceInterval: 3600 }
    const { settings, sessions } = dhtOf(world, 12, lifetime)
    await world.settle(sessions[2].dhtPutTorrent(keys, first.infoHash, salt))
    const follower = new SimClient(world, 'follower', first, { settings, add: { mutableTorrent } })
    const other = ed25519CreateKeypair(new Uint8Array(32).fill(8))
    await world.settle(sessions[2].dhtPutTorrent(other, first.infoHash))
    world.run({ hours: 5 })
    expect((await world.settle(sessions[8].dhtGetTorrent(keys.publicKey, salt))).equals(first.infoHash)).toBe(true)
    await expect(world.settle(sessions[8].dhtGetTorrent(other.publicKey))).rejects.toMatchObject({ code: 'timedOut' })
    expect(follower.alerts('torrentUpdate')).toEqual([])
  },
  { seeds: 1 },
)

scenario(
  'a torrent of resume data is followed as before, and a version published meanwhile is told',
  async (world) => {
    const { settings, sessions } = dhtOf(world, 12)
    await world.settle(sessions[2].dhtPutTorrent(keys, first.infoHash, salt))
    const follower = new SimClient(world, 'follower', first, { settings, add: { mutableTorrent } })
    world.run({ minutes: 2 })
    const resumeData = await world.settle(follower.torrent.saveResumeData())
    await world.settle(follower.session.abort())
    await world.settle(sessions[2].dhtPutTorrent(keys, second.infoHash, salt))
    const again = new SimClient(world, 'again', first, { settings, add: { resumeData } })
    world.run({ hours: 1 })
    expect(again.alerts('torrentUpdate').map(({ newIh }) => newIh.toHex())).toEqual([second.infoHash.toHex()])
  },
  { seeds: 1 },
)

scenario(
  'the item of a followed torrent comes back with its resume data when the DHT has forgotten it',
  async (world) => {
    const lifetime = { dhtItemLifetime: 2 * 3600, dhtAnnounceInterval: 3600 }
    const { settings, sessions } = dhtOf(world, 12, lifetime)
    await world.settle(sessions[2].dhtPutTorrent(keys, first.infoHash, salt))
    const follower = new SimClient(world, 'follower', first, { settings, add: { mutableTorrent } })
    world.run({ minutes: 5 })
    const resumeData = await world.settle(follower.torrent.saveResumeData())
    await world.settle(follower.session.abort())
    world.run({ hours: 4 })
    await expect(world.settle(sessions[8].dhtGetTorrent(keys.publicKey, salt))).rejects.toMatchObject({
      code: 'timedOut',
    })
    new SimClient(world, 'again', first, { settings, add: { resumeData } })
    world.run({ minutes: 30 })
    expect((await world.settle(sessions[8].dhtGetTorrent(keys.publicKey, salt))).equals(first.infoHash)).toBe(true)
  },
  { seeds: 1 },
)

scenario('a session that has just begun waits until the DHT knows', async (world) => {
  const { settings, sessions } = dhtOf(world, 10)
  await world.settle(sessions[2].dhtPutTorrent(keys, first.infoHash, salt))
  const late = world.session(world.host('late'), { settings })
  const handle = await world.settle(late.asyncAddTorrent({ url, savePath: SAVE }))
  expect(handle.infoHash.equals(first.infoHash)).toBe(true)
})

scenario(
  'what names no torrent is refused, whoever signed it',
  async (world) => {
    const { sessions } = dhtOf(world, 10)
    const [writer, reader] = [sessions[2], sessions[7]]
    for (const item of ['text', { ih: 'short' }, { ih: 5 }, { ih: new Uint8Array(21) }, ['ih']]) {
      await world.settle(writer.dhtPutItem(keys, () => item, salt))
      await expect(world.settle(reader.asyncAddTorrent({ url, savePath: SAVE }))).rejects.toMatchObject({
        code: 'invalidInfoHash',
      })
    }
    expect(reader.getTorrents()).toEqual([])
    // The key is as good as ever.
    await world.settle(writer.dhtPutTorrent(keys, first.infoHash, salt))
    expect((await world.settle(reader.dhtGetTorrent(keys.publicKey, salt))).equals(first.infoHash)).toBe(true)
  },
  { seeds: 1 },
)

scenario(
  'a version that names no torrent is not told, nor kept alive',
  async (world) => {
    const { settings, sessions } = dhtOf(world, 10)
    await world.settle(sessions[2].dhtPutTorrent(keys, first.infoHash, salt))
    const follower = new SimClient(world, 'follower', first, { settings, add: { mutableTorrent } })
    world.run({ minutes: 2 })
    await world.settle(sessions[2].dhtPutItem(keys, () => 'gone', salt))
    world.run({ hours: 1 })
    expect(follower.alerts('torrentUpdate')).toEqual([])
    expect(await world.settle(sessions[7].dhtGetItem(keys.publicKey, salt))).toMatchObject({ seq: 2 })
  },
  { seeds: 1 },
)

scenario('the session can end while the DHT is asked', async (world) => {
  const session = world.session(world.host('alone'), { settings: { enableDht: true, dhtBootstrapNodes: '' } })
  const added = session.asyncAddTorrent({ url, savePath: SAVE })
  const outcome = expect(added).rejects.toMatchObject({ code: 'sessionIsClosing' })
  world.run({ seconds: 3 })
  await world.settle(session.abort())
  await outcome
  await expect(session.dhtGetTorrent(keys.publicKey)).rejects.toMatchObject({ code: 'sessionIsClosing' })
})

scenario('only asyncAddTorrent takes a link to a mutable torrent, unless the version is known', (world) => {
  const session = world.session(world.host('client'))
  expect(() => session.addTorrent({ url, savePath: SAVE })).toThrow(/asyncAddTorrent/)
  const handle = session.addTorrent({ url, infoHash: first.infoHash, savePath: SAVE })
  expect(handle.infoHash.equals(first.infoHash)).toBe(true)
})
