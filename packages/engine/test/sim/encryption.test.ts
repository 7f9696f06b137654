import { expect } from 'vitest'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { EncLevel, EncPolicy } from '../../src/settings/settingEnums.ts'
import type { Settings } from '../../src/settings/settings.ts'
import { PeerFlags } from '../../src/torrent/peerInfo.ts'
import { SAVE, SimClient, seedOf } from './client.ts'
import { scenario } from './scenario.ts'

/** It connects to whom it is told to, and nobody else. */
const ALONE = { enableLsd: false, seedingOutgoingConnections: false }

type Encryption = Partial<Pick<Settings, 'outEncPolicy' | 'inEncPolicy' | 'allowedEncLevel' | 'preferRc4'>>

const content = new TestTorrent({ size: 600_000, pieceLength: 32 * 1024 })
const policies = Object.entries(EncPolicy)
const levels = Object.entries(EncLevel)

/** How two that may connect are encrypted, or the code the one that was connected to ends them with. */
function expected(out: EncPolicy, into: EncPolicy, ours: EncLevel, theirs: EncLevel): string {
  const common = ours & theirs
  const failure = theirs === EncLevel.rc4 ? 'noRc4Mode' : 'noPlaintextMode'
  const agreed = common === 0 ? failure : common === EncLevel.rc4 ? 'rc4' : 'plaintext'
  if (out === EncPolicy.disabled) return into === EncPolicy.forced ? 'noIncomingRegular' : 'none'
  if (out === EncPolicy.forced) return into === EncPolicy.disabled ? 'noIncomingEncrypted' : agreed
  return into === EncPolicy.forced ? agreed : 'none'
}

function encryptionOf(flags: number): string {
  if (flags & PeerFlags.rc4Encrypted) return 'rc4'
  return flags & PeerFlags.plaintextEncrypted ? 'plaintext' : 'none'
}

/** What the flags of its peers said while it downloaded. */
function watch(world: SimWorld, client: SimClient): Set<string> {
  const seen = new Set<string>()
  const look = () => {
    for (const { flags, downSpeed } of client.torrent.getPeerInfo()) if (downSpeed > 0) seen.add(encryptionOf(flags))
    return client.torrent.isSeed
  }
  world.runUntil(look, { minutes: 3 })
  return seen
}

function meet(world: SimWorld, ours: Encryption, theirs: Encryption): { client: SimClient; seed: SimClient } {
  // Slow, so that it can be seen how they are connected.
  const seed = seedOf(world, content, { up: 50_000, settings: { ...ALONE, ...theirs } })
  const client = new SimClient(world, 'client', content, { settings: { ...ALONE, ...ours } })
  client.torrent.connectPeer(seed.endpoint)
  return { client, seed }
}

for (const [outName, outEncPolicy] of policies) {
  for (const [inName, inEncPolicy] of policies) {
    for (const [ourName, ours] of levels) {
      for (const [theirName, theirs] of levels) {
        const result = expected(outEncPolicy, inEncPolicy, ours, theirs)
        const isGood = ['none', 'plaintext', 'rc4'].includes(result)
        scenario(
          `out ${outName} (${ourName}) to in ${inName} (${theirName}): ${result}`,
          (world) => {
            const { client, seed } = meet(
              world,
              { outEncPolicy, allowedEncLevel: ours },
              { inEncPolicy, allowedEncLevel: theirs, outEncPolicy: EncPolicy.disabled },
            )
            if (isGood) {
              expect([...watch(world, client)]).toEqual([result])
              expect(content.isOn(world.filesOf(client.host), SAVE)).toBe(true)
            } else {
              world.run({ minutes: 6 })
              expect(client.torrent.status().totalDownload).toBe(0)
              expect(seed.endCodes).toContain(result)
              // Who has a policy keeps to it, however often it is tried.
              const others = outEncPolicy === EncPolicy.enabled ? ['noIncomingRegular'] : []
              expect(seed.endCodes.filter((code) => code !== result && !others.includes(code))).toEqual([])
            }
          },
          { seeds: 1 },
        )
      }
    }
  }
}

for (const preferRc4 of [false, true]) {
  scenario(`the one that is connected to chooses: it prefers ${preferRc4 ? 'rc4' : 'plain text'}`, (world) => {
    const { client } = meet(world, { outEncPolicy: EncPolicy.forced, preferRc4: !preferRc4 }, { preferRc4 })
    expect([...watch(world, client)]).toEqual([preferRc4 ? 'rc4' : 'plaintext'])
  })
}

scenario('a peer that wants no plain text gets an encrypted connection at once, and from then on first', (world) => {
  const { client, seed } = meet(world, {}, { inEncPolicy: EncPolicy.forced })
  world.run({ seconds: 2 })
  expect(seed.endCodes).toEqual(['noIncomingRegular'])
  expect(client.torrent.getPeerInfo().map(({ flags }) => encryptionOf(flags))).toEqual(['plaintext'])
  expect(client.torrent.getPeerInfo()[0].failcount).toBe(0)

  // Its next connection is encrypted at once.
  seed.torrent.pause()
  world.run({ seconds: 5 })
  seed.forget()
  seed.torrent.resume()
  world.runUntil(() => client.torrent.isSeed, { minutes: 5 })
  expect(seed.endCodes).not.toContain('noIncomingRegular')
})

scenario(
  'a peer known to take encrypted connections that does not any more is tried in plain text at once',
  (world) => {
    const { client, seed } = meet(world, {}, { inEncPolicy: EncPolicy.forced })
    world.run({ seconds: 2 })
    expect(client.torrent.getPeerInfo().map(({ flags }) => encryptionOf(flags))).toEqual(['plaintext'])
    seed.session.setPeSettings({ inEncPolicy: EncPolicy.disabled, outEncPolicy: EncPolicy.disabled })
    seed.torrent.pause()
    world.run({ seconds: 5 })
    seed.forget()
    seed.torrent.resume()
    world.runUntil(() => client.torrent.isSeed, { minutes: 5 })
    const refused = seed.endings.filter(({ code }) => code === 'noIncomingEncrypted')
    expect(refused).toHaveLength(1)
  },
)

scenario('who is full, and ends connections without a word, is tried the other way once, and not again', (world) => {
  const client = new SimClient(world, 'client', content, {
    settings: { ...ALONE, minReconnectTime: 20, maxFailcount: 20 },
  })
  const peer = world.peer('full', { torrent: content, greets: 'silence' })
  client.torrent.connectPeer(peer.listen())
  const attempts: number[] = []
  world.runUntil(
    () => {
      for (const connection of peer.connections) {
        if (connection.closed === undefined && connection.stream !== undefined) {
          attempts.push(Math.floor(world.time.elapsed / 1000))
          connection.close()
        }
      }
      return attempts.length === 3
    },
    { minutes: 30 },
  )
  expect(attempts[1] - attempts[0]).toBeLessThan(2)
  expect(attempts[2] - attempts[1]).toBeGreaterThanOrEqual(20)
})

scenario('peer exchange tells who takes encrypted connections, and they are tried so first', (world) => {
  const forced = { inEncPolicy: EncPolicy.forced, outEncPolicy: EncPolicy.forced }
  const seed = seedOf(world, content, { up: 20_000, settings: { ...ALONE, ...forced } })
  const middle = new SimClient(world, 'middle', content, {
    settings: { ...ALONE, outEncPolicy: EncPolicy.forced },
  })
  middle.torrent.connectPeer(seed.endpoint)
  world.run({ seconds: 2 })
  const late = new SimClient(world, 'late', content, { settings: ALONE })
  late.torrent.connectPeer(middle.endpoint)
  world.runUntil(() => late.numPeers === 2, { minutes: 3 })
  world.run({ seconds: 3 })
  const toSeed = late.torrent.getPeerInfo().find(({ ip }) => ip.address === seed.host.address)
  expect(encryptionOf(toSeed?.flags ?? 0)).toBe('plaintext')
  expect(seed.endCodes).not.toContain('noIncomingRegular')
})

scenario('resume data remembers who takes encrypted connections', async (world) => {
  const { client, seed } = meet(world, {}, { inEncPolicy: EncPolicy.forced })
  world.run({ seconds: 2 })
  expect(client.numPeers).toBe(1)
  const resumeData = await world.settle(client.torrent.saveResumeData())
  await world.settle(client.session.abort())
  world.run({ seconds: 1 })
  seed.forget()
  const again = new SimClient(world, client.host, content, { settings: ALONE, add: { resumeData } })
  world.runUntil(() => again.torrent.isSeed, { minutes: 3 })
  expect(seed.endCodes).not.toContain('noIncomingRegular')
})

scenario('a seed that hides its bitfield does not do so where nobody can see it', (world) => {
  const settings = { ...ALONE, lazyBitfields: true, closeRedundantConnections: false }
  const seed = seedOf(world, content, { settings: { ...settings, inEncPolicy: EncPolicy.forced } })
  const client = new SimClient(world, 'client', content, { settings })
  client.torrent.connectPeer(seed.endpoint)
  world.runUntil(() => client.torrent.isSeed, { minutes: 3 })
  expect(client.torrent.getPeerInfo()[0].pieces.count).toBe(content.pieceCount)
})

scenario('the settings are the pe_settings of the manual', (world) => {
  const client = new SimClient(world, 'client', content)
  const { session } = client
  expect(session.getPeSettings()).toEqual({
    outEncPolicy: EncPolicy.enabled,
    inEncPolicy: EncPolicy.enabled,
    allowedEncLevel: EncLevel.both,
    preferRc4: false,
  })
  session.setPeSettings({ allowedEncLevel: EncLevel.rc4, preferRc4: true })
  expect(session.settings()).toMatchObject({ allowedEncLevel: EncLevel.rc4, preferRc4: true })
  session.applySettings({ inEncPolicy: EncPolicy.forced })
  expect(session.getPeSettings().inEncPolicy).toBe(EncPolicy.forced)
  expect(() => session.setPeSettings({ inEncPolicy: 3 as EncPolicy })).toThrow(/one of 0 \(forced\)/)
  expect(() => session.setPeSettings({ connectionsLimit: 3 } as object)).toThrow(/pe_settings have no/)
})
