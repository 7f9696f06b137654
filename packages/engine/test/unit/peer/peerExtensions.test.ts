import { expect, test } from 'vitest'
import { bencode } from '../../../src/bencode/bencode.ts'
import { PeerExtensions } from '../../../src/peer/peerExtensions.ts'

function handshake(messages: Record<string, number>): Uint8Array {
  return bencode({ m: new Map(Object.entries(messages)) })
}

test('a second handshake changes what it mentions, and an id of 0 turns an extension off', () => {
  const extensions = new PeerExtensions()
  extensions.onHandshake(handshake({ ut_metadata: 5, lt_donthave: 6 }))
  extensions.onHandshake(handshake({ ut_metadata: 0, upload_only: 7 }))
  expect(['ut_metadata', 'lt_donthave', 'upload_only'].map((name) => extensions.remoteId(name))).toEqual([0, 6, 7])
})

test('names of extensions we do not speak are not remembered', () => {
  const extensions = new PeerExtensions()
  extensions.onHandshake(handshake({ ut_unheard_of: 9 }))
  expect(extensions.remoteId('ut_unheard_of')).toBe(0)
})
