const FIELDS = 3
const COMPACT_AT = 256 * FIELDS

/** The ranges one peer asked of us and has not got yet, in the order asked. Kept flat: no object per request. */
export class UploadQueue {
  /** piece, begin, length, piece, begin, length, ... from `head` on. */
  private fields: number[] = []
  private head = 0

  get length(): number {
    return (this.fields.length - this.head) / FIELDS
  }

  push(piece: number, begin: number, length: number): void {
    this.fields.push(piece, begin, length)
  }

  get firstPiece(): number {
    return this.fields[this.head]
  }

  get firstBegin(): number {
    return this.fields[this.head + 1]
  }

  get firstLength(): number {
    return this.fields[this.head + 2]
  }

  shift(): void {
    this.head += FIELDS
    if (this.head === this.fields.length) {
      this.fields.length = 0
      this.head = 0
    } else if (this.head >= COMPACT_AT) {
      this.fields.splice(0, this.head)
      this.head = 0
    }
  }

  /** Takes one request out; false when there is none like it. */
  remove(piece: number, begin: number, length: number): boolean {
    const at = this.find(piece, begin, length)
    if (at === -1) return false
    this.fields.splice(at, FIELDS)
    return true
  }

  /** Empties the queue, calling `visit` with each request. */
  drain(visit: (piece: number, begin: number, length: number) => void): void {
    const { fields, head } = this
    this.fields = []
    this.head = 0
    for (let i = head; i < fields.length; i += FIELDS) visit(fields[i], fields[i + 1], fields[i + 2])
  }

  private find(piece: number, begin: number, length: number): number {
    const f = this.fields
    for (let i = this.head; i < f.length; i += FIELDS) {
      if (f[i] === piece && f[i + 1] === begin && f[i + 2] === length) return i
    }
    return -1
  }
}
