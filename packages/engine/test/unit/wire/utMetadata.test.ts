import { describe, expect, test } from 'vitest'
import { METADATA_SEND_BUFFER_LIMIT, MetadataUpload, metadataPiece } from '../../../src/extensions/metadataUpload.ts'
import { fromLatin1, latin1 } from '../../../src/util/bytes.ts'
import {
  decodeUtMetadata,
  encodeUtMetadata,
  MAX_METADATA_MESSAGE_SIZE,
  METADATA_PIECE_SIZE,
} from '../../../src/wire/utMetadataMessage.ts'

describe('ut_metadata messages', () => {
  test('BEP 9: the examples of request, data and reject', () => {
    expect(latin1(encodeUtMetadata({ type: 'request', piece: 0 }))).toBe('d8:msg_typei0e5:piecei0ee')
    const data = new Uint8Array(3).fill(0x78)
    const message = encodeUtMetadata({ type: 'data', piece: 0, totalSize: 34_256, data })
    expect(latin1(message)).toBe('d8:msg_typei1e5:piecei0e10:total_sizei34256eexxx')
    expect(latin1(encodeUtMetadata({ type: 'reject', piece: 0 }))).toBe('d8:msg_typei2e5:piecei0ee')
  })

  test('what was written is read', () => {
    const data = Uint8Array.of(1, 2, 3)
    for (const message of [
      { type: 'request', piece: 7 },
      { type: 'data', piece: 7, totalSize: 100, data },
      { type: 'reject', piece: 7 },
    ] as const) {
      expect(decodeUtMetadata(encodeUtMetadata(message))).toEqual(message)
    }
  })

  test('a type that may come to exist is not an error', () => {
    expect(decodeUtMetadata(fromLatin1('d8:msg_typei3e5:piecei0ee'))).toBe('unknown')
  })

  test.each(['', 'le', 'd8:msg_typei0ee', 'd5:piecei0ee', 'd8:msg_type1:x5:piecei0ee'])('"%s" is invalid', (text) => {
    expect(decodeUtMetadata(fromLatin1(text))).toBe('invalid')
  })

  test('a message longer than a piece and its header is invalid', () => {
    const header = encodeUtMetadata({ type: 'data', piece: 0, totalSize: 1, data: new Uint8Array(0) })
    const message = new Uint8Array(MAX_METADATA_MESSAGE_SIZE + 1)
    message.set(header)
    expect(decodeUtMetadata(message)).toBe('invalid')
    expect(decodeUtMetadata(message.subarray(1))).toBe('invalid')
    expect(decodeUtMetadata(message.subarray(0, MAX_METADATA_MESSAGE_SIZE))).toMatchObject({ type: 'data' })
  })
})

describe('serving metadata', () => {
  test('the last piece is short, and there is none after it', () => {
    const metadata = new Uint8Array(METADATA_PIECE_SIZE + 5)
    expect(metadataPiece(metadata, 0)).toHaveLength(METADATA_PIECE_SIZE)
    expect(metadataPiece(metadata, 1)).toHaveLength(5)
    for (const piece of [2, -1, 0.5, 2 ** 40]) expect(metadataPiece(metadata, piece)).toBeNull()
    expect(metadataPiece(new Uint8Array(METADATA_PIECE_SIZE), 1)).toBeNull()
  })

  test('requests are answered at once while the peer reads, wait while it does not, and come in order', () => {
    const upload = new MetadataUpload()
    expect(upload.onRequest(0, 0)).toBe('send')
    expect(upload.onRequest(1, METADATA_SEND_BUFFER_LIMIT)).toBe('wait')
    expect(upload.onRequest(2, 0)).toBe('wait')
    expect(upload.next(METADATA_SEND_BUFFER_LIMIT)).toBeNull()
    expect([upload.next(0), upload.next(0), upload.next(0)]).toEqual([1, 2, null])
  })

  test('what the limits do not let pass waits, and keeps its place', () => {
    const upload = new MetadataUpload()
    let allowed = 1
    const mayPass = () => allowed-- > 0
    expect(upload.onRequest(0, 0, mayPass)).toBe('send')
    expect(upload.onRequest(1, 0, mayPass)).toBe('wait')
    expect(upload.next(0, mayPass)).toBeNull()
    allowed = 1
    expect([upload.next(0, mayPass), upload.next(0, mayPass)]).toEqual([1, null])
  })

  test('a peer that asks and never reads is rejected after a thousand requests', () => {
    const upload = new MetadataUpload()
    const answers = Array.from({ length: 100_000 }, () => upload.onRequest(0, METADATA_SEND_BUFFER_LIMIT))
    expect(answers.filter((answer) => answer === 'wait')).toHaveLength(1024)
    expect(answers.at(-1)).toBe('reject')
    expect(upload.waitingRequests).toBe(1024)
  })
})
