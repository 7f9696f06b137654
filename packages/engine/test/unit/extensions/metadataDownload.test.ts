import { beforeEach, describe, expect, test } from 'vitest'
import { sha1 } from '../../../src/crypto/sha1.ts'
import { MetadataDownload } from '../../../src/extensions/metadataDownload.ts'
import { METADATA_PIECE_SIZE } from '../../../src/wire/utMetadataMessage.ts'
import { fixedRandom } from '../peers/fakePeers.ts'

const MAX_SIZE = 30 * 1024 * 1024
const metadata = Uint8Array.from({ length: 2 * METADATA_PIECE_SIZE + 100 }, (_, i) => i * 7)
const SIZE = metadata.length

interface Peer {
  readonly name: string
}

let now: number
let download: MetadataDownload<Peer>

beforeEach(() => {
  now = 1_000_000
  download = new MetadataDownload(MAX_SIZE, fixedRandom(10))
})

/** Bytes as a short text, which is quicker to compare and nicer to read in a failure. */
function hashOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : sha1(bytes).toHex()
}

function aPeer(name: string, size = SIZE): Peer {
  const peer = { name }
  download.addPeer(peer, size)
  return peer
}

function ask(peer: Peer): number[] {
  const pieces: number[] = []
  for (let piece = download.nextRequest(peer, now); piece !== null; piece = download.nextRequest(peer, now)) {
    pieces.push(piece)
  }
  return pieces
}

function answer(peer: Peer, piece: number, of = metadata, size = of.length): Uint8Array | null {
  const data = of.subarray(piece * METADATA_PIECE_SIZE, (piece + 1) * METADATA_PIECE_SIZE)
  return download.onData(peer, piece, size, data, now)
}

/** Asks and answers until there is nothing more to ask `peer` for; returns the metadata if it got complete. */
function fetchFrom(peer: Peer, of = metadata): Uint8Array | null {
  for (let piece = download.nextRequest(peer, now); piece !== null; piece = download.nextRequest(peer, now)) {
    const complete = answer(peer, piece, of)
    if (complete !== null) return complete
  }
  return null
}

describe('fetching metadata', () => {
  test('one peer is asked for two pieces at a time, and gives all of them', () => {
    const peer = aPeer('a')
    expect(ask(peer)).toEqual([0, 1])
    expect(answer(peer, 0)).toBeNull()
    expect(ask(peer)).toEqual([2])
    expect(answer(peer, 2)).toBeNull()
    expect(download.receivedBytes).toBe(METADATA_PIECE_SIZE + 100)
    expect(hashOf(answer(peer, 1))).toBe(hashOf(metadata))
  })

  test('several peers are asked for different pieces', () => {
    const [a, b] = [aPeer('a'), aPeer('b')]
    expect([...ask(a), ...ask(b)].sort()).toEqual([0, 1, 2])
  })

  test('a piece that does not come within three seconds is asked of someone else', () => {
    const [a, b] = [aPeer('a'), aPeer('b')]
    ask(a)
    expect(ask(b)).toEqual([2])
    now += 2999
    expect(ask(b)).toEqual([])
    now += 1
    expect(ask(b)).toEqual([0])
    expect(answer(b, 0)).toBeNull()
    expect(answer(a, 0)).toBeNull()
    expect(download.receivedBytes).toBe(METADATA_PIECE_SIZE)
  })

  test('what was asked of a peer that leaves is asked of others at once', () => {
    const [a, b] = [aPeer('a'), aPeer('b')]
    ask(a)
    download.removePeer(a)
    expect(ask(b)).toEqual([2, 0])
  })

  test('a peer that rejects is left alone for a minute, and what it was asked for is free', () => {
    const [a, b] = [aPeer('a'), aPeer('b')]
    ask(a)
    download.onReject(a, 0, now)
    expect(ask(a)).toEqual([])
    expect(ask(b)).toHaveLength(2)
    now += 59_999
    expect(ask(a)).toEqual([])
    now += 1
    expect(ask(a)).not.toEqual([])
  })

  test('a reject of what was never asked for means nothing', () => {
    const a = aPeer('a')
    download.onReject(a, 2, now)
    expect(ask(a)).toEqual([0, 1])
  })

  test('a silent peer is left alone after twenty seconds', () => {
    const a = aPeer('a')
    ask(a)
    now += 20_000
    expect(ask(a)).toEqual([])
    now += 60_000
    expect(ask(a)).toHaveLength(2)
  })

  test('pieces nobody asked for are ignored', () => {
    const a = aPeer('a')
    expect(answer(a, 0)).toBeNull()
    expect(answer({ name: 'stranger' }, 0)).toBeNull()
    expect(download.receivedBytes).toBe(0)
  })

  test('peers that did not say whether they have it are asked all the same, one of them tells the size', () => {
    const a = aPeer('a', 0)
    expect(ask(a)).toEqual([0])
    answer(a, 0)
    expect(download.expectedSize).toBe(SIZE)
    expect(hashOf(fetchFrom(a))).toBe(hashOf(metadata))
  })

  test('asking those who did not say keeps nobody else from being asked', () => {
    const [unsure, sure] = [aPeer('unsure', 0), aPeer('sure')]
    ask(unsure)
    expect(ask(sure)).toHaveLength(2)
  })
})

describe('peers that disagree or lie', () => {
  test.each([0, -1, MAX_SIZE + 1, 2 ** 31])('a total size of %i is not believed, and its sender left alone', (size) => {
    const a = aPeer('a', 0)
    ask(a)
    expect(answer(a, 0, metadata, size)).toBeNull()
    expect(download.expectedSize).toBe(0)
    expect(ask(a)).toEqual([])
  })

  test('a claim beyond the maximum is never asked for, and nothing is set aside for it', () => {
    const liar = aPeer('liar', MAX_SIZE + 1)
    expect(ask(liar)).toEqual([])
    const honest = aPeer('honest')
    expect(hashOf(fetchFrom(honest))).toBe(hashOf(metadata))
  })

  test('a piece of the wrong length is dropped and its sender left alone', () => {
    const a = aPeer('a')
    ask(a)
    expect(download.onData(a, 0, SIZE, metadata.subarray(0, 100), now)).toBeNull()
    expect(download.receivedBytes).toBe(0)
    expect(ask(a)).toEqual([])
  })

  test('the size that most peers claim wins over the one that came first, within half a minute', () => {
    const liar = aPeer('liar', 999)
    ask(liar)
    const [b, c] = [aPeer('b'), aPeer('c')]
    expect(ask(b)).toEqual([])
    for (let second = 0; second < 30; second++) {
      now += 1000
      ask(liar)
    }
    expect(hashOf(fetchFrom(b) ?? fetchFrom(c))).toBe(hashOf(metadata))
  })

  test('a peer whose answer disagrees about the size counts for the other size from then on', () => {
    const changed = aPeer('changed')
    ask(changed)
    const other = metadata.slice(0, METADATA_PIECE_SIZE + 1)
    answer(changed, 0, other)
    expect(hashOf(fetchFrom(changed, other))).toBe(hashOf(other))
  })

  test('the only sender of wrong metadata is named, and left alone for five minutes and more', () => {
    const liar = aPeer('liar')
    const wrong = metadata.map((byte) => byte ^ 1)
    expect(hashOf(fetchFrom(liar, wrong))).toBe(hashOf(wrong))
    expect(download.onHashFailed(now)).toBe(liar)
    expect(download.receivedBytes).toBe(0)
    now += 5 * 60_000 + 20_000
    expect(ask(liar)).toEqual([])
    now += 50_000
    expect(ask(liar)).toHaveLength(2)
  })

  test('of several senders nobody is named; then one at a time sends all of it, and the liar is found', () => {
    const [liar, honest] = [aPeer('liar'), aPeer('honest')]
    const wrong = metadata.map((byte) => byte ^ 1)
    ask(honest)
    ask(liar)
    answer(honest, 0)
    answer(honest, 1)
    expect(answer(liar, 2, wrong)).not.toBeNull()
    expect(download.onHashFailed(now)).toBeNull()

    expect(hashOf(fetchFrom(liar, wrong))).toBe(hashOf(wrong))
    expect(ask(honest)).toEqual([])
    expect(download.onHashFailed(now)).toBe(liar)
    expect(fetchFrom(liar, wrong)).toBeNull()
    expect(hashOf(fetchFrom(honest))).toBe(hashOf(metadata))
  })

  test('the one who sends all of it can leave, fall silent or change its mind without stopping the others', () => {
    const leave = (peer: Peer): void => download.removePeer(peer)
    const fallSilent = (peer: Peer): void => {
      now += 20_000
      ask(peer)
    }
    const changeItsMind = (peer: Peer): void => download.addPeer(peer, 12_345)
    for (const happening of [leave, fallSilent, changeItsMind]) {
      download = new MetadataDownload(MAX_SIZE, fixedRandom())
      const [a, b, c] = [aPeer('a'), aPeer('b'), aPeer('c')]
      ask(a)
      ask(b)
      answer(a, 0)
      answer(a, 1)
      answer(b, 2)
      download.onHashFailed(now)
      ask(a)
      answer(a, 0)
      expect(ask(b)).toEqual([])
      happening(a)
      expect(hashOf(fetchFrom(b) ?? fetchFrom(c))).toBe(hashOf(metadata))
    }
  })

  test('one that sends all of it drop by drop does not keep its turn', () => {
    const [dripping, other, honest] = [aPeer('dripping'), aPeer('other'), aPeer('honest')]
    const wrong = metadata.map((byte) => byte ^ 1)
    ask(dripping)
    ask(other)
    answer(dripping, 0)
    answer(dripping, 1)
    answer(other, 2, wrong)
    download.onHashFailed(now)
    let complete = false
    for (let second = 1; second <= 300 && !complete; second++) {
      now += 1000
      for (const peer of [dripping, other]) {
        const [piece] = ask(peer)
        if (piece !== undefined && second % 19 === 0) answer(peer, piece)
      }
      complete = fetchFrom(honest) !== null
    }
    expect(complete).toBe(true)
  })

  test('forty silent liars, two to a size, cannot keep an honest peer from being heard', () => {
    const liars = Array.from({ length: 40 }, (_, i) => aPeer(`liar ${i}`, 1000 + (i % 20)))
    const honest = aPeer('honest')
    let complete = false
    for (let second = 0; second < 3600 && !complete; second++) {
      now += 1000
      for (const liar of liars) ask(liar)
      complete = fetchFrom(honest) !== null
    }
    expect(complete).toBe(true)
  })
})
