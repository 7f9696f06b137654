import { expect } from 'vitest'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { SimClient } from './client.ts'
import { scenario } from './scenario.ts'

const PIECE = 32_768
const torrent = new TestTorrent({ size: 12 * PIECE + 5, pieceLength: PIECE })

scenario(
  'a super-seeding peer, which names the next piece when it hears of the last one, gives all of them',
  (world) => {
    const client = new SimClient(world, 'client', torrent)
    world.run({ seconds: 1 })
    const peer = world.peer('super', { torrent, has: 'none', serves: true })
    const named: number[] = []
    peer.onMessage = ({ name, piece }, connection) => {
      if (name !== 'haveNone' && (name !== 'have' || piece !== named.at(-1))) return
      if (named.length === torrent.pieceCount) return
      named.push(named.length)
      connection.send((to) => to.have(named.length - 1))
    }
    peer.connect(client.endpoint)
    world.runUntil(() => client.torrent.isSeed, { minutes: 2 })
    expect(named).toHaveLength(torrent.pieceCount)
  },
)
