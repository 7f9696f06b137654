/**
 * Speed of the wire parser on a stream of piece messages, cut as a socket would cut it.
 * Run: npx tsx bench/micro/wire.ts
 */
import { MessageWriter } from '../../packages/engine/src/wire/messageWriter.ts'
import type { WireHandler } from '../../packages/engine/src/wire/wireHandler.ts'
import { WireParser } from '../../packages/engine/src/wire/wireParser.ts'

const BLOCK = 16 * 1024
const CHUNK = 64 * 1024

class Counter implements WireHandler {
  blocks = 0
  bytes = 0
  messages = 0
  onKeepAlive(): void {}
  onChoke(): void {}
  onUnchoke(): void {}
  onInterested(): void {}
  onNotInterested(): void {}
  onHave(): void {
    this.messages++
  }
  onBitfield(): void {}
  onRequest(): void {
    this.messages++
  }
  onCancel(): void {}
  onPieceBegin(): boolean {
    return true
  }
  onPieceBytes(_chunk: Uint8Array, from: number, to: number): void {
    this.bytes += to - from
  }
  onPieceEnd(): void {
    this.blocks++
  }
  onDhtPort(): void {}
  onSuggest(): void {}
  onHaveAll(): void {}
  onHaveNone(): void {}
  onReject(): void {}
  onAllowedFast(): void {}
  onExtended(): void {}
  onInvalid(code: string): void {
    throw new Error(code)
  }
}

/** As `Counter`, and copies each block into a slot, as the disk path does. */
class Copier extends Counter {
  private readonly slot = new Uint8Array(BLOCK)
  override onPieceBytes(chunk: Uint8Array, from: number, to: number, offset?: number): void {
    this.slot.set(chunk.subarray(from, to), offset ?? 0)
    this.bytes += to - from
  }
}

function pieceStream(blocks: number): Uint8Array {
  const writer = new MessageWriter()
  const out = new Uint8Array(blocks * (BLOCK + 13))
  let at = 0
  for (let i = 0; i < blocks; i++) {
    writer.pieceHeader(i >> 4, (i & 15) * BLOCK, BLOCK)
    const header = writer.take()!
    out.set(header, at)
    writer.recycle(header)
    at += 13 + BLOCK
  }
  return out
}

function smallStream(messages: number): Uint8Array {
  const writer = new MessageWriter()
  for (let i = 0; i < messages; i++) {
    if (i % 4 === 0) writer.have(i)
    else writer.request(i, 0, BLOCK)
  }
  return writer.take()!.slice()
}

function run(name: string, stream: Uint8Array, handler: Counter, chunkSize: number, rounds: number): void {
  const parser = new WireParser(handler)
  const chunks: Uint8Array[] = []
  for (let at = 0; at < stream.length; at += chunkSize) chunks.push(stream.subarray(at, at + chunkSize))
  for (const chunk of chunks) parser.push(chunk)
  const start = process.hrtime.bigint()
  for (let round = 0; round < rounds; round++) for (const chunk of chunks) parser.push(chunk)
  const seconds = Number(process.hrtime.bigint() - start) / 1e9
  const gigabytes = (stream.length * rounds) / 1e9
  const perMessage =
    handler.messages > 0
      ? `, ${((handler.messages / seconds / 1e6) * (rounds / (rounds + 1))).toFixed(1)} M messages/s`
      : ''
  console.log(`${name.padEnd(34)} ${(gigabytes / seconds).toFixed(1)} GB/s${perMessage}`)
}

const pieces = pieceStream(1024)
run('pieces, 64 KiB chunks, no copy', pieces, new Counter(), CHUNK, 2000)
run('pieces, 64 KiB chunks, copied once', pieces, new Copier(), CHUNK, 200)
run('pieces, 1400-byte chunks, no copy', pieces, new Counter(), 1400, 200)
run('have and request, 64 KiB chunks', smallStream(100_000), new Counter(), CHUNK, 200)
run('have and request, 7-byte chunks', smallStream(100_000), new Counter(), 7, 10)
