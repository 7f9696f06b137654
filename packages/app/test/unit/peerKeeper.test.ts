import { EventEmitter } from 'node:events'
import type { Endpoint, Session, TorrentHandle } from 'libtorrent-ts'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Output } from '../../src/output/output.ts'
import { PeerKeeper } from '../../src/transfer/peerKeeper.ts'

const PEER: Endpoint = { address: '10.0.0.1', port: 6881 }
const SOMEBODY = new Uint8Array(20).fill(1)
const NOBODY = new Uint8Array(20)

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A torrent whose named peer is never there for long, and how often it was connected to. */
function keep(isSeed: boolean) {
  const attempts: number[] = []
  const session = new EventEmitter()
  const handle = {
    isValid: true,
    isPaused: false,
    isSeed,
    getPeerInfo: () => [],
    connectPeer: () => attempts.push(Date.now()),
  }
  const output = { warn() {} }
  const keeper = new PeerKeeper(
    handle as unknown as TorrentHandle,
    [{ name: 'friend', endpoints: [PEER] }],
    output as unknown as Output,
  )
  keeper.start(session as unknown as Session)
  const leaves = (pid: Uint8Array, operation: string) =>
    session.emit('peerDisconnected', { endpoint: PEER, pid, error: { code: 'EOF', operation, message: '' } })
  return { attempts, handle, keeper, leaves }
}

test('a named peer that is not there is tried every five seconds', () => {
  const { attempts, keeper, leaves } = keep(true)
  leaves(NOBODY, 'connect')
  vi.advanceTimersByTime(60_000)
  expect(attempts).toHaveLength(12)
  keeper.stop()
})

test('another seed, which leaves whenever we come, is tried once a minute while we seed', () => {
  const { attempts, handle, keeper, leaves } = keep(true)
  leaves(SOMEBODY, 'socketRead')
  vi.advanceTimersByTime(59_000)
  expect(attempts).toHaveLength(0)
  vi.advanceTimersByTime(2000)
  expect(attempts).toHaveLength(1)
  leaves(SOMEBODY, 'socketRead')
  handle.isSeed = false
  vi.advanceTimersByTime(5000)
  expect(attempts).toHaveLength(2)
  keeper.stop()
})

test('while we download, one who was here and left is tried again after five seconds', () => {
  const { attempts, keeper, leaves } = keep(false)
  leaves(SOMEBODY, 'socketRead')
  vi.advanceTimersByTime(5000)
  expect(attempts).toHaveLength(1)
  keeper.stop()
})
