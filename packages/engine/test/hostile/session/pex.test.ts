import { expect } from 'vitest'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { bencode } from '../../../src/bencode/bencode.ts'
import { SimClient } from '../../sim/client.ts'
import { theirId } from '../../sim/extensionPeer.ts'
import { scenario } from '../../sim/scenario.ts'
import { FAST_AND_EXTENDED, Siege } from './siege.ts'

// Hostile inputs, line 24. What a peer tells of others has a limit, names nobody it may not, and is heard only where peer
// exchange was agreed on; `peerExchange.test.ts` has those who lie within these bounds.

const ONCE = { seeds: 1 }

/** A `ut_pex` message (BEP 11) with the given peers, six bytes each. */
function pexMessage(added: Uint8Array): Uint8Array {
  const flags = new Uint8Array(added.length / 6)
  return bencode({ added, 'added.f': flags, added6: '', 'added6.f': '', dropped: '', dropped6: '' })
}

/** `count` made-up peers: private and loopback addresses, and ports of services, among them. */
function madeUpPeers(count: number): Uint8Array {
  const hosts = [
    [127, 0, 0],
    [10, 0, 0],
    [192, 168, 0],
    [0, 0, 0],
    [255, 255, 255],
    [50, 1, 0],
  ]
  const ports = [0, 19, 25, 53, 80, 6881]
  const bytes = new Uint8Array(count * 6)
  for (let i = 0; i < count; i++) {
    const [a, b, c] = hosts[(i >> 3) % hosts.length]
    const port = ports[i % ports.length]
    bytes.set([a, b, c, i & 255, port >> 8, port & 255], i * 6)
  }
  return bytes
}

scenario(
  'peers that cannot be, or are not for strangers to name, are left out, and a hundred thousand at once end the connection',
  (world) => {
    const siege = new Siege(world)
    const victim = world.peer('victim', { torrent: siege.torrent })
    victim.listen()
    const before = siege.client.torrent.status().listPeers
    const tell = (added: Uint8Array) => {
      const attacker = siege.attacker()
      const id = theirId(attacker, 'ut_pex')
      expect(id).toBeGreaterThan(0)
      attacker.send((to) => to.extended(0, bencode({ m: { ut_pex: 1 } })))
      attacker.send((to) => to.extended(id, pexMessage(added)))
      world.run({ seconds: 5 })
    }
    tell(madeUpPeers(50))
    // Of six networks one is one that may be named, of six ports of it one that makes sense: and few of those fit in.
    expect(siege.client.torrent.status().listPeers).toBeLessThan(before + 51)
    expect(siege.verdicts).not.toContain('pexMessageTooLarge')
    tell(madeUpPeers(100_000))
    expect(siege.verdicts).toContain('pexMessageTooLarge')
    siege.survive()
  },
  ONCE,
)

scenario(
  'peer exchange under an id that stands for another extension brings no peers',
  (world) => {
    const siege = new Siege(world)
    const victim = world.peer('victim', { torrent: siege.torrent })
    victim.listen()
    const told = Uint8Array.from([...victim.host.address.split('.').map(Number), 0x1a, 0xe1])
    for (const name of ['ut_metadata', 'upload_only', 'lt_donthave']) {
      const attacker = siege.attacker()
      // the attacker says what it likes of its own ids
      attacker.send((to) => to.extended(0, bencode({ m: { ut_pex: theirId(attacker, name) } })))
      for (let second = 0; second < 5; second++) {
        if (attacker.closed === undefined) {
          attacker.send((to) => to.extended(theirId(attacker, name), pexMessage(told)))
        }
        world.run({ seconds: 1 })
      }
      attacker.close()
    }
    siege.survive()
    world.run({ minutes: 5 })
    expect(victim.connections).toEqual([])
  },
  ONCE,
)

scenario(
  'a private torrent neither offers peer exchange nor takes peers from it',
  (world) => {
    const torrent = new TestTorrent({ size: 200_000, private: true })
    const client = new SimClient(world, 'client', torrent)
    const victim = world.peer('victim', { torrent })
    victim.listen()
    const teller = world.peer('teller', { torrent, has: 'none', reserved: FAST_AND_EXTENDED }).connect(client.endpoint)
    world.run({ seconds: 1 })
    expect(theirId(teller, 'ut_pex')).toBe(0)
    const told = Uint8Array.from([...victim.host.address.split('.').map(Number), 0x1a, 0xe1])
    teller.send((to) => to.extended(1, pexMessage(told)))
    world.run({ minutes: 5 })
    expect(victim.connections).toEqual([])
    expect(client.torrent.getPeerInfo().map(({ ip }) => ip.address)).not.toContain(victim.host.address)
  },
  ONCE,
)
