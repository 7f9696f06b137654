/** A line of a list that says nothing that can be understood. */
export interface BadLine {
  /** From 1; in a `.p2b` file the number of the range. */
  readonly line: number
  /** What it says, at most 80 characters. A stranger's text: escape it where it is shown. */
  readonly text: string
}

/** What was found in a list of addresses. */
export interface IpFilterList {
  readonly kind: 'list'
  /** Ranges that were added to the filter as blocked. */
  readonly numRanges: number
  /** Ranges of an eMule list whose level says that they are allowed: nothing was added for them. */
  readonly numAllowed: number
  /** Lines that were left out because they cannot be understood. */
  readonly numBadLines: number
  readonly firstBadLine: BadLine | null
}

/** Nothing in the list could be used; nothing was added. */
export interface UnusableList {
  readonly kind: 'unusable'
  /** Why, for people. */
  readonly reason: string
}

/** More ranges in one list are refused: the largest there are have a tenth. */
export const MAX_LIST_RANGES = 5_000_000

/** Counts what is found while a list is read. */
export class ListCounts {
  numRanges = 0
  numAllowed = 0
  numBadLines = 0
  firstBadLine: BadLine | null = null

  bad(line: number, text: () => string): void {
    this.numBadLines++
    this.firstBadLine ??= { line, text: text() }
  }

  get isFull(): boolean {
    return this.numRanges > MAX_LIST_RANGES
  }

  result(): IpFilterList {
    const { numRanges, numAllowed, numBadLines, firstBadLine } = this
    return { kind: 'list', numRanges, numAllowed, numBadLines, firstBadLine }
  }
}
