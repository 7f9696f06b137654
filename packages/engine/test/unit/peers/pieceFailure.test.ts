import { describe, expect, test } from 'vitest'
import { absolvePeer, penalizePiecePeers, rewardPiecePeers } from '../../../src/peers/pieceFailure.ts'
import { TorrentPeer } from '../../../src/peers/torrentPeer.ts'

function aPeer(last = 1): TorrentPeer {
  return new TorrentPeer({ address: `1.0.0.${last}`, port: 6881 }, true, 1)
}

describe('trust', () => {
  test('a good piece gives each who had a part in it one point, up to eight, and ends parole', () => {
    const peer = aPeer()
    peer.onParole = true
    for (let pieces = 1; pieces <= 10; pieces++) {
      rewardPiecePeers([peer, peer, peer])
      expect(peer.trustPoints).toBe(Math.min(8, pieces))
    }
    expect(peer.onParole).toBe(false)
  })

  test('a bad piece costs two points, and puts all who had a part in it on parole', () => {
    const peers = [aPeer(1), aPeer(2)]
    expect(penalizePiecePeers(peers, true)).toEqual([])
    for (const peer of peers) expect(peer).toMatchObject({ trustPoints: -2, hashfails: 1, onParole: true })
  })

  test('without parole mode nobody goes on parole', () => {
    const peers = [aPeer(1), aPeer(2)]
    penalizePiecePeers(peers, false)
    expect(peers.map((peer) => peer.onParole)).toEqual([false, false])
  })

  test('the only sender of a bad piece is to be banned, however many blocks it sent', () => {
    const peer = aPeer()
    peer.trustPoints = 8
    expect(penalizePiecePeers([peer, peer, peer], true)).toEqual([peer])
  })

  test('with others, a peer is to be banned at the fourth bad piece in a row, and keeps -7 points at most', () => {
    const liar = aPeer(1)
    const banned: boolean[] = []
    for (let i = 0; i < 5; i++) banned.push(penalizePiecePeers([liar, aPeer(i + 2)], true).includes(liar))
    expect(banned).toEqual([false, false, false, true, true])
    expect(liar.trustPoints).toBe(-7)
  })

  test('who shared a bad piece with blocks that nobody here sent is not the only suspect', () => {
    const peer = aPeer()
    expect(penalizePiecePeers([peer, null, peer], true)).toEqual([])
    expect(peer).toMatchObject({ trustPoints: -2, onParole: true, banned: false })
    expect(penalizePiecePeers([null, null], true)).toEqual([])
  })

  test('a peer that was suspected for nothing gets back what it lost, and leaves parole', () => {
    const peer = aPeer()
    penalizePiecePeers([peer, aPeer(2)], true)
    penalizePiecePeers([peer, aPeer(3)], true)
    absolvePeer(peer, 2)
    expect(peer).toMatchObject({ trustPoints: 0, onParole: false, hashfails: 2 })
    absolvePeer(peer, 100)
    expect(peer.trustPoints).toBe(8)
  })
})
