import { describe, expect, test } from 'vitest'
import { SimWorld } from '../../../sim/simWorld.ts'
import { TestTorrent } from '../../../sim/testTorrent.ts'

const torrent = new TestTorrent({ size: 100_000 })

describe('scripted peers', () => {
  test('greet each other, say what they have, and trade blocks', () => {
    const world = new SimWorld({ seed: 3 })
    const seed = world.peer('seed', { torrent, has: 'all', serves: true, answerDelay: 100 })
    const leecher = world.peer('leecher', { torrent, has: 'none' })
    const connection = leecher.connect(seed.listen())
    leecher.onMessage = (message) => {
      if (message.name === 'haveAll') connection.send((to) => to.interested())
      if (message.name === 'unchoke') connection.send((to) => to.request(1, 16_384, 16_384))
    }
    world.run({ seconds: 5 })
    expect(connection.names).toEqual(['haveAll', 'unchoke', 'piece'])
    const [piece] = connection.received('piece')
    expect(piece).toMatchObject({ piece: 1, begin: 16_384, length: 16_384 })
    expect(piece.body.slice(8)).toEqual(torrent.content.slice(49_152, 65_536))
    expect(seed.connection.names).toEqual(['haveNone', 'interested', 'request'])
    expect(seed.connection.isInterested).toBe(true)
    expect(connection.handshake?.slice(28, 48)).toEqual(new Uint8Array(torrent.infoHash.bytes))
    expect(connection.handshake?.slice(48)).toEqual(new Uint8Array(seed.peerId))
    world.assertNothingLeft()
  })

  test('can be silent, wrong, and rude', () => {
    const world = new SimWorld()
    const silent = world.peer('silent', { torrent, greets: 'silence' })
    const liar = world.peer('liar', { torrent, has: (piece) => piece === 2, corrupts: () => true })
    const connection = liar.connect(silent.listen())
    world.run({ seconds: 1 })
    connection.sendBlock(0, 0, 100)
    connection.sendRaw(new Uint8Array([0, 0, 0, 1, 99, 0, 0, 0, 0]))
    world.run({ seconds: 1 })
    expect(connection.handshake).toBeNull()
    expect(silent.connection.names).toEqual(['bitfield', 'piece', 'unknown', 'keepAlive'])
    expect(silent.connection.messages[0].body).toEqual(new Uint8Array([0x20]))
    expect(silent.connection.messages[1].body.slice(8)).not.toEqual(torrent.content.slice(0, 100))
    connection.close()
    world.run({ seconds: 1 })
    expect(silent.connection.closed).toBeNull()
    expect(silent.connection.closedAt).toBe(2020)
  })
})
