import type { WireHandler } from '../../../src/wire/wireHandler.ts'

/** One call of the parser, the pieces of a block put together. */
export type Heard = readonly [name: string, ...values: (number | string)[]]

/** Writes down everything the parser says; `acceptBlocks` false refuses them. */
export class RecordingHandler implements WireHandler {
  readonly heard: Heard[] = []
  acceptBlocks = true
  /** Called after each entry is written down. */
  onHeard: (entry: Heard) => void = () => {}
  private block: { piece: number; begin: number; bytes: Uint8Array; filled: number } | null = null

  onKeepAlive(): void {
    this.hear('keepAlive')
  }
  onChoke(): void {
    this.hear('choke')
  }
  onUnchoke(): void {
    this.hear('unchoke')
  }
  onInterested(): void {
    this.hear('interested')
  }
  onNotInterested(): void {
    this.hear('notInterested')
  }
  onHave(piece: number): void {
    this.hear('have', piece)
  }
  onBitfield(bytes: Uint8Array): void {
    this.hear('bitfield', hex(bytes))
  }
  onRequest(piece: number, begin: number, length: number): void {
    this.hear('request', piece, begin, length)
  }
  onCancel(piece: number, begin: number, length: number): void {
    this.hear('cancel', piece, begin, length)
  }
  onPieceBegin(piece: number, begin: number, length: number): boolean {
    if (this.block !== null) throw new Error('a block begins inside another')
    if (!this.acceptBlocks) {
      this.hear('refused', piece, begin, length)
      return false
    }
    this.block = { piece, begin, bytes: new Uint8Array(length), filled: 0 }
    return true
  }
  onPieceBytes(chunk: Uint8Array, from: number, to: number, offset: number): void {
    if (this.block === null || offset !== this.block.filled || to <= from || to > chunk.length) {
      throw new Error('bytes of a block out of order')
    }
    this.block.bytes.set(chunk.subarray(from, to), offset)
    this.block.filled += to - from
    this.onHeard(['pieceBytes', offset])
  }
  onPieceEnd(): void {
    if (this.block === null || this.block.filled !== this.block.bytes.length) throw new Error('a block ends early')
    const { piece, begin, bytes } = this.block
    this.block = null
    this.hear('piece', piece, begin, hex(bytes))
  }
  onDhtPort(port: number): void {
    this.hear('dhtPort', port)
  }
  onSuggest(piece: number): void {
    this.hear('suggest', piece)
  }
  onHaveAll(): void {
    this.hear('haveAll')
  }
  onHaveNone(): void {
    this.hear('haveNone')
  }
  onReject(piece: number, begin: number, length: number): void {
    this.hear('reject', piece, begin, length)
  }
  onAllowedFast(piece: number): void {
    this.hear('allowedFast', piece)
  }
  onExtended(id: number, payload: Uint8Array): void {
    this.hear('extended', id, hex(payload))
  }
  onInvalid(code: string): void {
    this.hear('invalid', code)
  }

  private hear(...entry: Heard): void {
    this.heard.push(entry)
    this.onHeard(entry)
  }
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Bytes from hexadecimal text with spaces. */
export function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
}

/** The stream cut at the given sizes, used in turn. */
export function cut(stream: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (let at = 0, i = 0; at < stream.length; i++) {
    const size = sizes[i % sizes.length]
    chunks.push(stream.subarray(at, at + size))
    at += size
  }
  return chunks
}
