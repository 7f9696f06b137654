/**
 * Cost of choosing whom to connect to: `npx tsx bench/micro/peerList.ts`. For lists of 10 to 10,000 known peers:
 *
 *   attempt    a candidate is asked for, and a connection to it attached
 *   waiting    everybody was tried less than a reconnect time ago: how often the list is asked, and what that costs,
 *              until the first peer may be tried again, when it is asked as its `retryAt` says
 */
import { SeededRandom } from '../../packages/engine/sim/seededRandom.ts'
import { PeerList } from '../../packages/engine/src/peers/peerList.ts'
import type { ListedConnection, PeerListHost } from '../../packages/engine/src/peers/peerListHost.ts'
import { defaultSettings } from '../../packages/engine/src/settings/settings.ts'

const REPEATS = 5
/** The session does not ask again sooner (`WakeQueue`). */
const SHORTEST_WAIT_MS = 5
const START = 1_000_000_000

class Connection implements ListedConnection {
  readonly hasFailed = false
  readonly local = null
  readonly isOutgoing = true
  readonly peerId = new Uint8Array(20)
  constructor(readonly remote: { address: string; port: number }) {}
  disconnect(): void {}
}

function aList(size: number): PeerList<Connection> {
  const host: PeerListHost<Connection> = {
    settings: { ...defaultSettings(), maxPeerlistSize: 0 },
    random: new SeededRandom(1),
    peerId: new Uint8Array(20).fill(1),
    isFinished: false,
    isPaused: false,
    externalEndpoint: () => ({ address: '9.9.9.9', port: 6881 }),
    onPeerErased() {},
  }
  const list = new PeerList<Connection>(host)
  for (let i = 0; i < size; i++) {
    list.addPeer({ address: `${1 + (i % 200)}.${(i >> 4) & 255}.${(i * 7) & 255}.${(i >> 8) & 255}`, port: 6881 }, 1)
  }
  return list
}

function seconds(action: () => void): number {
  const start = process.hrtime.bigint()
  action()
  return Number(process.hrtime.bigint() - start) / 1e9
}

function attempts(size: number): number {
  const list = aList(size)
  let count = 0
  const taken = seconds(() => {
    while (list.retryAt <= START) {
      const peer = list.connectOnePeer(START)
      // The part of the list it looked at had nobody.
      if (peer === null) continue
      list.setConnection(peer, new Connection(peer))
      count++
    }
  })
  if (count !== list.size) throw new Error(`${count} of ${list.size} peers came up`)
  return (taken / count) * 1e6
}

function waiting(size: number): { calls: number; micros: number } {
  const list = aList(size)
  const connections = [...list].map((peer) => {
    const connection = new Connection(peer)
    list.setConnection(peer, connection)
    return { peer, connection }
  })
  for (const { peer, connection } of connections) list.connectionClosed(peer, connection, { failed: false }, START)
  let calls = 0
  let now = START
  const taken = seconds(() => {
    while (list.connectOnePeer(now) === null) {
      calls++
      now = Math.max(now + SHORTEST_WAIT_MS, list.retryAt)
    }
  })
  return { calls, micros: taken * 1e6 }
}

for (const size of [10, 300, 1000, 10_000]) {
  let attempt = Number.POSITIVE_INFINITY
  let wait = waiting(size)
  for (let i = 0; i < REPEATS; i++) {
    attempt = Math.min(attempt, attempts(size))
    const again = waiting(size)
    if (again.micros < wait.micros) wait = again
  }
  console.log(
    `${size.toLocaleString('en').padStart(6)} known peers: attempt ${attempt.toFixed(2).padStart(6)} us; ` +
      `waiting: asked ${wait.calls.toLocaleString('en')} times, ${wait.micros.toFixed(0)} us in all`,
  )
}
