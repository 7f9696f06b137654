/**
 * A seed that costs next to nothing while it is measured against: it encrypts all it will send before it unchokes, and
 * then only writes. One peer, one torrent, of which every block is `REPEATED_BLOCK`.
 * Usage: tsx feeder.ts INFO_HASH PIECES BLOCKS
 * Prints a JSON line with its port, one when everything is encrypted; unchokes when it is told to by any line.
 */
import { createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { Rc4 } from '../../packages/engine/src/crypto/rc4.ts'
import type { MseAgreement } from '../../packages/engine/src/mse/mseHandshake.ts'
import { streamKeyHash } from '../../packages/engine/src/mse/mseKeys.ts'
import { MseResponder } from '../../packages/engine/src/mse/mseResponder.ts'
import { NodeRandom } from '../../packages/engine/src/node/nodeRandom.ts'
import { EncLevel } from '../../packages/engine/src/settings/settingEnums.ts'
import { PreparedBlocks } from './preparedBlocks.ts'

const infoHash = Buffer.from(process.argv[2] ?? '', 'hex')
const [pieces, blocks] = process.argv.slice(3).map(Number) as [number, number]

const HANDSHAKE_BYTES = 68
const INTERESTED = 2
const REQUEST = 6
/** As many requests as libtorrent takes. */
const EXTENSION_HANDSHAKE = 'd1:mde4:reqqi2000ee'

const say = (event: object) => console.log(JSON.stringify(event))

let unchoke = () => {}

const server = createServer((socket) => {
  server.close()
  socket.setNoDelay(true)
  const handshake = new MseResponder({
    random: new NodeRandom(),
    settings: { allowedEncLevel: EncLevel.rc4, preferRc4: true },
    send: (bytes) => void socket.write(bytes),
    mayExchangeKeys: () => true,
    findStreamKey: (hash) => (Buffer.compare(hash, streamKeyHash(infoHash)) === 0 ? infoHash : null),
  })
  const negotiate = (chunk: Buffer) => {
    const taken = handshake.receive(chunk)
    const { outcome } = handshake
    if (outcome === null) return
    if ('code' in outcome) throw new Error(outcome.code)
    socket.off('data', negotiate)
    const feed = greet(socket, outcome)
    feed(handshake.rest())
    feed(chunk.subarray(taken))
    socket.on('data', feed)
  }
  socket.on('data', negotiate)
  socket.on('error', () => {})
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  say({ event: 'ready', port: typeof address === 'object' ? address?.port : 0 })
})
createInterface({ input: process.stdin })
  .on('line', () => unchoke())
  .on('close', () => process.exit(0))

/** Says what a seed says first; returns what takes the encrypted bytes of the peer. */
function greet(socket: Socket, { encrypt, decrypt }: MseAgreement): (chunk: Uint8Array) => void {
  const greeting = Buffer.alloc(HANDSHAKE_BYTES)
  greeting[0] = 19
  greeting.write('BitTorrent protocol', 1, 'latin1')
  greeting[25] = 0x10 // extension protocol
  infoHash.copy(greeting, 28)
  greeting.write('-XX0000-feederfeeder', 48, 'latin1')
  // Spare bits are zero.
  const bitfield = Buffer.alloc(Math.ceil(pieces / 8), 0xff)
  if (pieces % 8 > 0) bitfield[bitfield.length - 1] = 0xff << (8 - (pieces % 8))
  const extensions = Buffer.from(`\0${EXTENSION_HANDSHAKE}`, 'latin1')
  socket.write(encrypted(encrypt, Buffer.concat([greeting, message(5, bitfield), message(20, extensions)])))

  let received = Buffer.alloc(0)
  let prepared: PreparedBlocks | null = null
  let skip = HANDSHAKE_BYTES
  return (chunk) => {
    const bytes = Buffer.from(chunk)
    decrypt.turn(bytes)
    received = Buffer.concat([received, bytes])
    const wanted: Buffer[] = []
    for (;;) {
      if (skip > 0) {
        if (received.length < skip) break
        received = received.subarray(skip)
        skip = 0
      }
      if (received.length < 4 || received.length < 4 + received.readUInt32BE(0)) break
      skip = 4 + received.readUInt32BE(0)
      if (received[4] === INTERESTED && prepared === null) prepared = prepare(socket, encrypt)
      if (received[4] === REQUEST) wanted.push(received.subarray(5, 13))
    }
    if (wanted.length > 0 && prepared !== null) socket.write(prepared.answer(wanted))
  }
}

function prepare(socket: Socket, encrypt: Rc4): PreparedBlocks {
  const first = encrypted(encrypt, message(1, Buffer.alloc(0)))
  const prepared = new PreparedBlocks(encrypt, blocks)
  unchoke = () => void socket.write(first)
  say({ event: 'prepared' })
  return prepared
}

function message(id: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(1 + payload.length)
  head[4] = id
  return Buffer.concat([head, payload])
}

function encrypted(cipher: Rc4, bytes: Buffer): Buffer {
  cipher.turn(bytes)
  return bytes
}
