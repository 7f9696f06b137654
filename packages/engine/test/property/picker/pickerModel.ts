import { expect } from 'vitest'
import { SeededRandom } from '../../../sim/seededRandom.ts'
import { BlockState } from '../../../src/picker/downloadingPiece.ts'
import { PickerFlags } from '../../../src/picker/pickerFlags.ts'
import { PiecePicker } from '../../../src/picker/piecePicker.ts'
import { Bitfield } from '../../../src/util/bitfield.ts'

export const NUM_PIECES = 9
export const BLOCKS_PER_PIECE = 3
export const BLOCKS_IN_LAST_PIECE = 2
export const NUM_PEERS = 5

export interface ModelPeer {
  readonly id: number
  has: Bitfield
  connected: boolean
  /** Blocks this peer was asked for and has not answered. */
  requests: Set<number>
}

interface ModelBlock {
  state: BlockState
  requesters: Set<ModelPeer>
  /** Who it was last requested or received from. */
  from: ModelPeer | null
}

/** One step of a history; numbers are taken modulo what there is to choose from. */
export type Step =
  | { type: 'connect'; peer: number; has: number }
  | { type: 'disconnect'; peer: number }
  | { type: 'have' | 'loseHave'; peer: number; piece: number }
  | { type: 'priority'; piece: number; priority: number }
  | {
      type: 'pick'
      peer: number
      count: number
      flags: number
      contiguous: number
      strict: boolean
      speed: number
      suggested: number
    }
  | { type: 'deliver' | 'abort'; peer: number; nth: number }
  | { type: 'written'; nth: number }
  | { type: 'writeFailed' | 'unlock'; nth: number }
  | { type: 'hash'; ok: boolean; nth: number }
  | { type: 'lose'; piece: number }

/** A picker beside the simplest possible account of the same: after every step the two are compared. */
export class PickerModel {
  readonly picker: PiecePicker<ModelPeer>
  readonly peers: ModelPeer[]
  readonly priority = new Array<number>(NUM_PIECES).fill(1)
  readonly have = new Set<number>()
  readonly locked = new Set<number>()
  readonly blocks = new Map<number, ModelBlock>()

  constructor(seed: number) {
    const layout = {
      numPieces: NUM_PIECES,
      blocksPerPiece: BLOCKS_PER_PIECE,
      blocksInLastPiece: BLOCKS_IN_LAST_PIECE,
    }
    this.picker = new PiecePicker<ModelPeer>(layout, new SeededRandom(seed))
    this.peers = Array.from({ length: NUM_PEERS }, (_, id) => ({
      id,
      has: new Bitfield(NUM_PIECES),
      connected: false,
      requests: new Set<number>(),
    }))
    for (let piece = 0; piece < NUM_PIECES; piece++) {
      for (const id of this.blocksOf(piece)) this.blocks.set(id, { state: 0, requesters: new Set(), from: null })
    }
  }

  apply(step: Step): void {
    switch (step.type) {
      case 'connect':
        this.connect(this.peers[step.peer], step.has)
        break
      case 'disconnect':
        this.disconnect(this.peers[step.peer])
        break
      case 'have':
      case 'loseHave':
        this.changeHave(this.peers[step.peer], step.piece, step.type === 'have')
        break
      case 'priority':
        this.priority[step.piece] = step.priority
        this.picker.setPiecePriority(step.piece, step.priority)
        break
      case 'pick':
        this.pick(step)
        break
      case 'deliver':
      case 'abort':
        this.answer(this.peers[step.peer], step.nth, step.type === 'deliver')
        break
      case 'written':
      case 'writeFailed':
        this.wrote(step.nth, step.type === 'written')
        break
      case 'unlock': {
        const piece = nth([...this.locked], step.nth)
        if (piece === undefined) break
        this.locked.delete(piece)
        this.picker.unlockPiece(piece)
        break
      }
      case 'hash':
        this.hashed(step.nth, step.ok)
        break
      case 'lose':
        this.have.delete(step.piece)
        this.forgetBlocks(step.piece)
        this.picker.weDontHave(step.piece)
    }
  }

  connect(peer: ModelPeer, mask: number): void {
    if (peer.connected) return
    peer.connected = true
    peer.has = new Bitfield(NUM_PIECES)
    for (let piece = 0; piece < NUM_PIECES; piece++) if (mask & (1 << piece)) peer.has.set(piece)
    if (peer.has.isAllSet) this.picker.incRefcountAll()
    else this.picker.incRefcountBits(peer.has)
  }

  disconnect(peer: ModelPeer): void {
    if (!peer.connected) return
    for (const id of [...peer.requests]) this.abort(peer, id)
    if (peer.has.isAllSet) this.picker.decRefcountAll()
    else this.picker.decRefcountBits(peer.has)
    peer.connected = false
  }

  private changeHave(peer: ModelPeer, piece: number, gained: boolean): void {
    if (!peer.connected || peer.has.get(piece) === gained) return
    if (gained) {
      peer.has.set(piece)
      this.picker.incRefcount(piece)
    } else {
      peer.has.clear(piece)
      this.picker.decRefcount(piece)
    }
  }

  private pick(step: Extract<Step, { type: 'pick' }>): void {
    const peer = this.peers[step.peer]
    if (!peer.connected) return
    const suggested = [step.suggested].filter((piece) => piece < NUM_PIECES)
    const out: number[] = []
    const count = this.picker.pickPieces(peer.has.isAllSet ? 'all' : peer.has, out, step.count, {
      peer,
      flags: step.flags,
      preferContiguousBlocks: step.contiguous,
      numPeers: this.peers.filter((each) => each.connected).length,
      strictEndGameMode: step.strict,
      outstandingRequests: peer.requests.size,
      speed: step.speed as 0 | 1 | 2 | 3,
      suggestedPieces: suggested,
    })
    expect(count).toBe(out.length)
    expect(new Set(out).size).toBe(out.length)

    const parole = (step.flags & PickerFlags.onParole) !== 0
    const eligible = [...this.blocks.keys()].filter((id) => this.isEligible(id, peer, parole))
    const busy = out.filter((id) => this.block(id).state !== BlockState.none)
    for (const id of out) if (!busy.includes(id)) expect(eligible).toContain(id)
    if (busy.length > 0) this.checkEndGame(out, peer, parole, step.strict)
    // Nothing is held back while the peer could be asked for more.
    if (out.length < step.count && busy.length === 0) expect([...out].sort()).toEqual([...eligible].sort())
    if (step.contiguous === 0) expect(out.length).toBeLessThanOrEqual(step.count)
    const plain = step.flags === PickerFlags.rarestFirst && step.contiguous === 0 && suggested.length === 0
    if (plain && busy.length === 0 && step.speed === 0) this.checkRarestFirst(out, eligible)

    for (const id of out) {
      const reverse = (step.flags & PickerFlags.reverse) !== 0
      const speed = step.speed as 0 | 1 | 2 | 3
      const extentAffinity = (step.flags & PickerFlags.pieceExtentAffinity) !== 0
      expect(this.picker.markAsDownloading(id, peer, { reverse, onParole: parole, extentAffinity, speed })).toBe(true)
      const block = this.block(id)
      block.state = BlockState.requested
      block.requesters.add(peer)
      block.from = peer
      peer.requests.add(id)
    }
  }

  private isEligible(id: number, peer: ModelPeer, parole: boolean): boolean {
    const piece = this.picker.pieceOf(id)
    if (!peer.has.get(piece) || this.have.has(piece) || this.priority[piece] === 0 || this.locked.has(piece))
      return false
    if (this.block(id).state !== BlockState.none) return false
    if (!parole) return true
    return this.blocksOf(piece).every(
      (each) => this.block(each).state === BlockState.none || this.block(each).from === peer,
    )
  }

  private checkEndGame(out: readonly number[], peer: ModelPeer, parole: boolean, strict: boolean): void {
    expect(out).toHaveLength(1)
    expect(parole).toBe(false)
    expect(peer.requests.size).toBe(0)
    const block = this.block(out[0])
    expect(block.state).toBe(BlockState.requested)
    expect(block.requesters.has(peer)).toBe(false)
    if (strict) for (const piece of this.wanted()) expect(this.isInProgress(piece)).toBe(true)
  }

  /** No piece is left out that is rarer, in units that outweigh being in progress. */
  private checkRarestFirst(out: readonly number[], eligible: readonly number[]): void {
    const partials = new Set(eligible.map((id) => this.picker.pieceOf(id)).filter((piece) => this.isInProgress(piece)))
    const connected = this.peers.filter((peer) => peer.connected).length
    if (partials.size > connected * 1.5) return
    // Priority 7 stands before all others; whom a piece counts as a seed does not show outside, so compare equals only.
    const rest = eligible.filter((id) => !out.includes(id)).map((id) => this.picker.pieceOf(id))
    for (const id of out) {
      const piece = this.picker.pieceOf(id)
      for (const other of rest) {
        if (other === piece || this.priority[other] !== this.priority[piece] || this.priority[piece] === 7) continue
        expect(this.availability(piece)).toBeLessThanOrEqual(this.availability(other))
      }
    }
  }

  private answer(peer: ModelPeer, at: number, delivered: boolean): void {
    const id = nth([...peer.requests], at)
    if (id === undefined) return
    if (!delivered) {
      this.abort(peer, id)
      return
    }
    const block = this.block(id)
    for (const each of block.requesters) each.requests.delete(id)
    block.requesters.clear()
    block.state = BlockState.writing
    block.from = peer
    expect(this.picker.markAsWriting(id, peer)).toBe(true)
    expect(this.picker.markAsWriting(id, peer)).toBe(false)
  }

  private abort(peer: ModelPeer, id: number): void {
    peer.requests.delete(id)
    this.picker.abortDownload(id, peer)
    const block = this.block(id)
    block.requesters.delete(peer)
    if (block.requesters.size > 0) {
      if (block.from === peer) block.from = this.picker.getDownloader(id)
    } else {
      block.state = BlockState.none
      block.from = null
    }
  }

  private wrote(at: number, ok: boolean): void {
    const id = nth(this.idsIn(BlockState.writing), at)
    if (id === undefined) return
    const block = this.block(id)
    if (ok) {
      block.state = BlockState.finished
      this.picker.markAsFinished(id, null)
    } else {
      block.state = BlockState.none
      block.from = null
      this.locked.add(this.picker.pieceOf(id))
      this.picker.writeFailed(id)
    }
  }

  private hashed(at: number, ok: boolean): void {
    const complete = [...Array(NUM_PIECES).keys()].filter(
      (piece) =>
        !this.have.has(piece) && this.blocksOf(piece).every((id) => this.block(id).state === BlockState.finished),
    )
    const piece = nth(complete, at)
    if (piece === undefined) return
    if (ok) {
      this.have.add(piece)
      this.picker.weHave(piece)
    } else this.picker.restorePiece(piece)
    this.forgetBlocks(piece)
  }

  private forgetBlocks(piece: number): void {
    this.locked.delete(piece)
    for (const id of this.blocksOf(piece)) {
      const block = this.block(id)
      for (const peer of block.requesters) peer.requests.delete(id)
      this.blocks.set(id, { state: BlockState.none, requesters: new Set(), from: null })
    }
  }

  /** Everything the picker counts, counted again. */
  check(): void {
    const { picker } = this
    const pieces = [...Array(NUM_PIECES).keys()]
    const wanted = this.wanted()
    const queues = { partial: 0, full: 0, finished: 0, zeroPriority: 0 }
    for (const piece of pieces) {
      if (!this.isInProgress(piece)) continue
      const states = this.blocksOf(piece).map((id) => this.block(id).state)
      if (this.priority[piece] === 0) queues.zeroPriority++
      else if (states.includes(BlockState.none)) queues.partial++
      else if (states.includes(BlockState.requested)) queues.full++
      else queues.finished++
    }
    const open = [...this.blocks.keys()].filter((id) => !this.have.has(picker.pieceOf(id)))
    expect({
      availability: picker.pieceAvailability(),
      have: pieces.filter((piece) => picker.havePiece(piece)),
      counts: [picker.numHave, picker.numWantLeft, picker.numFiltered, picker.numHaveFiltered],
      isFinished: picker.isFinished,
      cursors: [picker.cursor, picker.reverseCursor],
      queues: picker.downloadQueueSizes(),
      states: open.map((id) => picker.blockState(id)).join(''),
      numPeers: open.map((id) => picker.numPeers(id)).join(''),
      downloaders: open.map((id) => picker.getDownloader(id)?.id ?? '-').join(''),
      requesters: open.map((id) =>
        this.peers.filter((peer) => picker.isRequestedFrom(id, peer)).map((peer) => peer.id),
      ),
    }).toEqual({
      availability: pieces.map((piece) => this.availability(piece)),
      have: [...this.have].sort(),
      counts: [
        this.have.size,
        wanted.length,
        pieces.filter((piece) => this.priority[piece] === 0 && !this.have.has(piece)).length,
        pieces.filter((piece) => this.priority[piece] === 0 && this.have.has(piece)).length,
      ],
      isFinished: wanted.length === 0,
      cursors: wanted.length === 0 ? [NUM_PIECES, 0] : [wanted[0], wanted[wanted.length - 1] + 1],
      queues,
      states: open.map((id) => this.block(id).state).join(''),
      numPeers: open.map((id) => this.block(id).requesters.size).join(''),
      downloaders: open.map((id) => this.block(id).from?.id ?? '-').join(''),
      requesters: open.map((id) =>
        this.peers.filter((peer) => this.block(id).requesters.has(peer)).map((peer) => peer.id),
      ),
    })
  }

  /** Lets everything go well from here: all that is wanted and that somebody has must be had in the end. */
  complete(): void {
    const options = { count: 100, contiguous: 0, strict: true, speed: 0, suggested: NUM_PIECES }
    for (let round = 0; round < 4; round++) {
      while (this.locked.size > 0) this.apply({ type: 'unlock', nth: 0 })
      for (const peer of this.peers) {
        this.apply({ type: 'pick', peer: peer.id, flags: PickerFlags.rarestFirst, ...options })
        while (peer.requests.size > 0) this.apply({ type: 'deliver', peer: peer.id, nth: 0 })
      }
      while (this.idsIn(BlockState.writing).length > 0) this.apply({ type: 'written', nth: 0 })
      for (let piece = 0; piece < NUM_PIECES; piece++) this.apply({ type: 'hash', nth: 0, ok: true })
    }
    for (const piece of this.wanted()) {
      const missing = this.blocksOf(piece).some((id) => this.block(id).state === BlockState.none)
      expect([this.availability(piece), missing]).toEqual([0, true])
    }
  }

  private wanted(): number[] {
    return [...Array(NUM_PIECES).keys()].filter((piece) => this.priority[piece] > 0 && !this.have.has(piece))
  }

  private availability(piece: number): number {
    return this.peers.filter((peer) => peer.connected && peer.has.get(piece)).length
  }

  private isInProgress(piece: number): boolean {
    return this.locked.has(piece) || this.blocksOf(piece).some((id) => this.block(id).state !== BlockState.none)
  }

  private blocksOf(piece: number): number[] {
    const count = piece === NUM_PIECES - 1 ? BLOCKS_IN_LAST_PIECE : BLOCKS_PER_PIECE
    return Array.from({ length: count }, (_, block) => this.picker.blockId(piece, block))
  }

  private block(id: number): ModelBlock {
    return this.blocks.get(id)!
  }

  private idsIn(state: BlockState): number[] {
    return [...this.blocks.keys()].filter((id) => this.block(id).state === state)
  }
}

function nth<T>(items: readonly T[], index: number): T | undefined {
  return items[index % items.length]
}
