// Cost of choosing blocks: `npx tsx bench/micro/picker.ts`. 100,000 pieces of 16 blocks, 200 peers.
import { SeededRandom } from '../../packages/engine/sim/seededRandom.ts'
import { PickerFlags } from '../../packages/engine/src/picker/pickerFlags.ts'
import { PiecePicker } from '../../packages/engine/src/picker/piecePicker.ts'
import { Bitfield } from '../../packages/engine/src/util/bitfield.ts'

const NUM_PIECES = 100_000
const BLOCKS_PER_PIECE = 16
const NUM_PEERS = 200

interface Peer {
  readonly has: Bitfield
  readonly queue: number[]
}

const random = new SeededRandom(1)
const layout = { numPieces: NUM_PIECES, blocksPerPiece: BLOCKS_PER_PIECE, blocksInLastPiece: BLOCKS_PER_PIECE }

function report(what: string, seconds: number, count: number, unit: string): void {
  const each = (seconds / count) * 1e6
  console.log(
    `${what.padEnd(52)} ${Math.round(count / seconds)
      .toLocaleString('en')
      .padStart(12)} ${unit}/s ${each.toFixed(2).padStart(9)} us each`,
  )
}

function timed(action: () => void): number {
  const start = process.hrtime.bigint()
  action()
  return Number(process.hrtime.bigint() - start) / 1e9
}

/** Peers with between 10 % and all of the pieces, every tenth a seed. */
function somePeers(): Peer[] {
  return Array.from({ length: NUM_PEERS }, (_, i) => {
    const share = i % 10 === 0 ? 1 : 0.1 + 0.9 * random.fraction()
    const has = new Bitfield(NUM_PIECES, share === 1)
    if (share < 1) for (let piece = 0; piece < NUM_PIECES; piece++) if (random.fraction() < share) has.set(piece)
    return { has, queue: [] }
  })
}

/** Each peer keeps `depth` requests; a block arrives, is written, the peer gets one more. Until `blocks` have come. */
function download(picker: PiecePicker<Peer>, peers: Peer[], flags: number, depth: number, blocks: number): number {
  const out: number[] = []
  let picks = 0
  const fill = (peer: Peer) => {
    const count = picker.pickPieces(peer.has, out, depth - peer.queue.length, {
      peer,
      flags,
      numPeers: peers.length,
      outstandingRequests: peer.queue.length,
    })
    picks++
    for (let i = 0; i < count; i++) if (picker.markAsDownloading(out[i], peer)) peer.queue.push(out[i])
  }
  const seconds = timed(() => {
    for (const peer of peers) fill(peer)
    for (let i = 0; i < blocks; i++) {
      const peer = peers[i % peers.length]
      const block = peer.queue.shift()
      if (block === undefined) continue
      picker.markAsWriting(block, peer)
      picker.markAsFinished(block, peer)
      const piece = picker.pieceOf(block)
      if (picker.isPieceFinished(piece)) picker.weHave(piece)
      fill(peer)
    }
  })
  report(`one block: pick, request, write, finish (${flags}, depth ${depth})`, seconds, picks, 'picks')
  return picks
}

function main(): void {
  const peers = somePeers()
  const modes: [string, number][] = [
    ['rarest first', PickerFlags.rarestFirst],
    ['sequential', PickerFlags.sequential],
    ['partials first', PickerFlags.rarestFirst | PickerFlags.prioritizePartials],
    ['reverse', PickerFlags.rarestFirst | PickerFlags.reverse],
  ]
  for (const [name, flags] of modes) {
    const picker = new PiecePicker<Peer>(layout, random)
    const joined = timed(() => {
      for (const peer of peers) picker.incRefcountBits(peer.has)
    })
    console.log(`-- ${name}: ${peers.length} bitfields taken in ${(joined * 1000).toFixed(1)} ms`)
    const first: number[] = []
    const options = { peer: peers[0], flags, numPeers: peers.length }
    const rebuilt = timed(() => picker.pickPieces('all', first, 1, options))
    console.log(`   first pick, with the order built anew: ${(rebuilt * 1000).toFixed(1)} ms`)
    download(picker, peers, flags, 32, 400_000)
    const haves = timed(() => {
      for (let i = 0; i < 100_000; i++) picker.incRefcount(random.below(NUM_PIECES))
    })
    report('a HAVE', haves, 100_000, 'haves')
    const seeds = timed(() => {
      for (let i = 0; i < 100_000; i++) {
        picker.incRefcountAll()
        picker.pickPieces('all', first, 1, options)
        picker.decRefcountAll()
        picker.pickPieces('all', first, 1, options)
      }
    })
    report('a seed joins or leaves, and a pick', seeds, 200_000, 'changes')
  }
}

main()
