import { expect, test } from 'vitest'
import { PieceLayout } from '../../../src/metainfo/pieceLayout.ts'
import type { PeerConnection } from '../../../src/peer/peerConnection.ts'
import { PeerUpload } from '../../../src/peer/peerUpload.ts'
import { defaultSettings } from '../../../src/settings/settings.ts'
import { BLOCK_SIZE_BYTES } from '../../../src/util/flavored.ts'
import { MessageWriter } from '../../../src/wire/messageWriter.ts'

const BLOCKS = 64

test('a quick peer is fed in few rounds of the disk from its first request on', () => {
  // Nothing else of a connection matters here.
  const peer = {
    writer: new MessageWriter(),
    supportsFast: true,
    isJustChoked: false,
    bandwidth: { upload: { take: (bytes: number) => bytes, leave: () => {} } },
  } as unknown as PeerConnection
  const upload = new PeerUpload(peer, {
    layout: new PieceLayout(BLOCK_SIZE_BYTES * BLOCKS, BLOCK_SIZE_BYTES * BLOCKS),
    settings: defaultSettings(),
    havePiece: () => true,
    readBlock: () => {},
    onPeerInvalidRequest: () => {},
  })
  upload.isChoked = false
  for (let block = 0; block < BLOCKS; block++) upload.onRequest(0, block * BLOCK_SIZE_BYTES, BLOCK_SIZE_BYTES)
  const rounds: number[] = []
  // Each round: the disk reads what it was asked for, and the kernel takes all of it. No rate is known yet.
  while (upload.requests.length > 0 && rounds.length < BLOCKS) {
    upload.pump(0, 0)
    rounds.push(upload.readingBytes / BLOCK_SIZE_BYTES)
    upload.readingBytes = 0
  }
  expect(rounds.length).toBeLessThan(10)
  expect(rounds.reduce((sum, blocks) => sum + blocks, 0)).toBe(BLOCKS)
})
