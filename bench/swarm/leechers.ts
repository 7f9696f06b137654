/**
 * Many peers in one process, for the benchmark; plain Node, so that it can be run without a loader. Each asks one seed for
 * blocks of random pieces, a few at a time, and drops what comes.
 * Usage: node leechers.js PORT INFO_HASH PIECES PIECE_LENGTH PEERS SECONDS
 * Prints a JSON line when it is ready, one when it begins to count, and one with what it counted.
 */
import net from 'node:net'

const [port, , pieces, pieceLength, peers, seconds] = process.argv.slice(2).map(Number)
const infoHash = Buffer.from(process.argv[3] ?? '', 'hex')

const BLOCK = 16 * 1024
/** Blocks each peer has asked for: enough that the seed never waits for it. */
const IN_FLIGHT = 8
/** All peers must be served before we count. */
const CONNECT_TIMEOUT_MS = 30_000
const UNCHOKE = 1
const PIECE = 7
const HANDSHAKE_BYTES = 68

let random = 12345
let unchoked = 0
let received = 0
let closed = 0
const receivedBy: number[] = []

function next(limit: number): number {
  random = (Math.imul(random, 1664525) + 1013904223) >>> 0
  return Math.floor((random / 0x1_0000_0000) * limit)
}

function handshake(index: number): Buffer {
  const bytes = Buffer.alloc(HANDSHAKE_BYTES)
  bytes[0] = 19
  bytes.write('BitTorrent protocol', 1, 'latin1')
  // Fast extension: nothing is said of what we have.
  bytes[27] = 4
  infoHash.copy(bytes, 28)
  bytes.write(`-XX0000-${String(index).padStart(12, '0')}`, 48, 'latin1')
  return bytes
}

const HAVE_NONE_AND_INTERESTED = Buffer.from([0, 0, 0, 1, 15, 0, 0, 0, 1, 2])

function requests(count: number): Buffer {
  const bytes = Buffer.alloc(17 * count)
  for (let at = 0; at < bytes.length; at += 17) {
    bytes.writeUInt32BE(13, at)
    bytes[at + 4] = 6
    bytes.writeUInt32BE(next(pieces - 1), at + 5)
    bytes.writeUInt32BE(next(pieceLength / BLOCK) * BLOCK, at + 9)
    bytes.writeUInt32BE(BLOCK, at + 13)
  }
  return bytes
}

/** One peer: skips over everything but unchokes and the heads of blocks. */
function leech(index: number): void {
  receivedBy[index] = 0
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer: shared, callback } })
  let skip = HANDSHAKE_BYTES
  const head = Buffer.alloc(5)
  let headBytes = 0
  let isUnchoked = false

  function callback(length: number): boolean {
    let blocks = 0
    for (let at = 0; at < length; ) {
      if (skip > 0) {
        const step = Math.min(skip, length - at)
        skip -= step
        at += step
        continue
      }
      head[headBytes++] = shared[at++] as number
      const size = headBytes >= 4 ? head.readUInt32BE(0) : -1
      if (size === 0) headBytes = 0
      if (headBytes < 5) continue
      headBytes = 0
      skip = size - 1
      if (head[4] === PIECE) blocks++
      else if (head[4] === UNCHOKE && !isUnchoked) {
        isUnchoked = true
        unchoked++
        socket.write(requests(IN_FLIGHT))
      }
    }
    if (blocks > 0) {
      received += blocks * BLOCK
      receivedBy[index] = (receivedBy[index] ?? 0) + blocks * BLOCK
      socket.write(requests(blocks))
    }
    return true
  }

  socket.on('connect', () => {
    socket.write(handshake(index))
    socket.write(HAVE_NONE_AND_INTERESTED)
  })
  socket.on('error', () => {})
  socket.on('close', () => closed++)
}

// What is read is looked at within the callback: all sockets can share one buffer.
const shared = Buffer.alloc(256 * 1024)
for (let i = 0; i < peers; i++) leech(i)

console.log(JSON.stringify({ event: 'ready' }))
const started = performance.now()
const waiting = setInterval(() => {
  if (unchoked < peers && performance.now() - started < CONNECT_TIMEOUT_MS) return
  clearInterval(waiting)
  const [before, begin, each] = [received, performance.now(), [...receivedBy]]
  console.log(JSON.stringify({ event: 'begin', unchoked }))
  setTimeout(() => {
    const elapsed = (performance.now() - begin) / 1000
    const served = receivedBy.filter((bytes, index) => bytes > (each[index] ?? 0)).length
    console.log(JSON.stringify({ event: 'end', bytes: received - before, seconds: elapsed, served, closed }))
    process.exit(0)
  }, seconds * 1000)
}, 50)
